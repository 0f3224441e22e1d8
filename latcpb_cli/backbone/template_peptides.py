"""Peptides that a template knows turn towards their rotations in it."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, CB_SLOT, GAMMA_SLOT, N_SLOT
from latcpb_cli.geometry.codec import PEPTIDE_ROTATION, decode
from latcpb_cli.geometry.residue_atoms import place_cb
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.templates.evidence import TemplateEvidence
from latcpb_cli.templates.rigid_copies import Trace

__all__ = ["turn_to_template"]

_SAMPLE_CONCENTRATION = 8.0
"""Of rotations without a predicted concentration: a standard deviation of 20 degrees."""
_MAX_CONCENTRATION, _RIGID_CONCENTRATION = 100.0, 3000.0
"""That of the largest resultant of `PeptideRotations`, so that relief can still turn a peptide; and that of a
copy, which relief leaves as it is."""


def turn_to_template(decoded: Decoded, graph: Graph, evidence: TemplateEvidence) -> Decoded:
    """Return structures with the mean of predicted rotations and those of the templates.

    The mean is on the circle, weighted by the two concentrations; twists have the same shares. Peptides of
    rigid parts are copies. Atoms beyond CB are not built.

    Parameters
    ----------
    decoded, graph
        Structures and their neighbourhoods.
    evidence
        What templates say of the residues.
    """
    internal = decoded.internal
    assert internal is not None  # templates need packing, which positions do not have
    predicted = internal.torsions[:, PEPTIDE_ROTATION]
    own = decoded.concentration
    if own is None:
        own = torch.full_like(evidence.concentration, _SAMPLE_CONCENTRATION)
    total = own[:, None] * predicted + evidence.concentration[:, None] * evidence.rotation
    known = evidence.concentration > 0
    rotation = torch.where(known[:, None], unit(total), predicted)
    share = evidence.concentration / (own + evidence.concentration)
    twist = internal.twist + share * (evidence.twist - internal.twist)
    turned = replace(internal, twist=twist).with_peptide_rotation(rotation)
    atoms = decode(turned, graph.ca, graph.types, graph.linked, graph.order, side_chains=False)
    trace = Trace(graph.ca, graph.linked, graph.order)
    atoms = evidence.peptides.into_peptides(atoms, trace)
    n, ca, c = (atoms[:, slot] for slot in (N_SLOT, CA_SLOT, C_SLOT))
    cb = place_cb(n, ca, c, graph.types)
    atoms = torch.cat([atoms[:, :CB_SLOT], cb[:, None], atoms[:, GAMMA_SLOT:]], dim=1)
    return replace(decoded, atoms=atoms, internal=turned, concentration=_joint(decoded, total, evidence))


def _joint(
    decoded: Decoded, total: Float[Tensor, "L 2"], evidence: TemplateEvidence
) -> Float[Tensor, "L"] | None:
    """Concentration of the product of two von Mises densities; None where the prediction has none."""
    if decoded.concentration is None:
        return None
    limit = _MAX_CONCENTRATION + (_RIGID_CONCENTRATION - _MAX_CONCENTRATION) * evidence.peptides.share
    joint = torch.minimum(total.norm(dim=-1), limit)
    return torch.where(evidence.concentration > 0, joint, decoded.concentration)
