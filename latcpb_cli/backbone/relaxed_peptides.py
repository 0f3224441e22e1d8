"""Peptides on Cα that were relaxed turn towards those that they were relaxed with."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.geometry.codec import PEPTIDE_ROTATION, decode
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph

__all__ = ["turn_to_relaxed"]

_CONCENTRATION = 10.0
"""Of the rotations of the relaxation: a standard deviation of 18 degrees."""


def turn_to_relaxed(
    decoded: Decoded, graph: Graph, peptides: Float[Tensor, "L 2"], *, side_chains: bool
) -> Decoded:
    """Return structures with the mean of predicted rotations and those of the relaxation, and its twists.

    The mean is on the circle, weighted by the two concentrations.

    Parameters
    ----------
    decoded, graph
        Structures with predicted rotations and their concentrations, and their neighbourhoods.
    peptides
        Rotation and twist (rad) of the peptide after each residue, nan where it was not relaxed; see
        `RelaxedTrace`.
    side_chains
        Whether atoms beyond CB are built; see `decode`.
    """
    internal, concentration = decoded.internal, decoded.concentration
    assert internal is not None and concentration is not None  # predicted together
    rotation, twist = peptides.unbind(-1)
    known = ~rotation.isnan()[:, None]
    relaxed = torch.stack([torch.cos(rotation), torch.sin(rotation)], dim=-1)
    predicted = internal.torsions[:, PEPTIDE_ROTATION]
    mean = unit(concentration[:, None] * predicted + _CONCENTRATION * relaxed)
    internal = internal.with_peptide_rotation(torch.where(known, mean, predicted))
    internal = replace(internal, twist=torch.where(twist.isnan(), internal.twist, twist))
    atoms = decode(internal, graph.ca, graph.types, graph.linked, graph.order, side_chains=side_chains)
    return replace(decoded, atoms=atoms, internal=internal)
