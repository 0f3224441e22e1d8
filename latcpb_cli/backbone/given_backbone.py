"""Structures whose backbones are given with the Cα, instead of predicted (`--keep-backbone`)."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.chem.ideal import peptide_shapes
from latcpb_cli.chem.residues import GAMMA_SLOT, GIVEN_SLOTS, OXT_SLOT
from latcpb_cli.device import constant
from latcpb_cli.errors import UsageError
from latcpb_cli.geometry.codec import PSI_END, place_side_chains
from latcpb_cli.geometry.residue_atoms import place_cb, place_oxt
from latcpb_cli.geometry.vectors import place_atom, torsion_vector
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph

__all__ = ["put_on_backbone"]

_OPPOSITE = (-1.0, 0.0)
"""(cos, sin) of the torsion of O against the next N, which lie on either side of CA-C."""


def put_on_backbone(
    decoded: Decoded, backbone: Float[Tensor, "L 4 3"], graph: Graph, *, side_chains: bool
) -> Decoded:
    """Return structures with the backbone of the input.

    An O that is not given lies in the plane of its peptide, in a residue without a next one at the torsion of
    the decoder; a CB that is not given has the ideal place of an L-amino acid. The internal coordinates of
    peptides stay those of the decoder, and count no more: on a given backbone, side chains alone turn.

    Parameters
    ----------
    decoded
        Output of the decoder.
    backbone
        Atoms in `GIVEN_SLOTS`, Å; nan for those without a position. Residues without N and C keep the
        backbone of the decoder.
    graph
        Neighbourhoods.
    side_chains
        Whether atoms beyond CB are built; see `latcpb_cli.geometry.codec.decode`.

    Raises
    ------
    UsageError
        The decoder predicts positions, which belong to its own backbone.
    """
    internal = decoded.internal
    if internal is None:
        raise UsageError(
            "these weights predict positions, which fit no given backbone",
            "leave out --keep-backbone, or use other weights",
        )
    given = ~backbone.isnan().any(-1, keepdim=True)
    is_kept, _, has_o, has_cb = given.unbind(1)
    atoms, ca, types = decoded.atoms, graph.ca, graph.types
    n, c, o, cb = torch.where(given, backbone, atoms[:, list(GIVEN_SLOTS)]).unbind(1)
    o = torch.where(is_kept & ~has_o, _place_o(n, c, internal.torsions[:, PSI_END], graph), o)
    cb = torch.where(has_cb, cb, place_cb(n, ca, c, types))
    oxt = torch.where(graph.linked[:, None], ca, place_oxt(n, ca, c, torsion_vector(n, ca, c, o)))
    slots = [n, ca, c, o, cb]
    if side_chains:
        slots = place_side_chains(slots, internal, types)
    else:
        slots = [*slots, *atoms[:, GAMMA_SLOT:OXT_SLOT].unbind(1)]
    return replace(decoded, atoms=torch.stack([*slots, oxt], dim=1))


def _place_o(
    n: Float[Tensor, "L 3"], c: Float[Tensor, "L 3"], n_ca_c_o: Float[Tensor, "L 2"], graph: Graph
) -> Float[Tensor, "L 3"]:
    """O in the plane of CA, C and the next N; without a next residue at the torsion N-CA-C-O (cos, sin)."""
    shape, linked = peptide_shapes()[0], graph.linked[:, None]
    reference = torch.where(linked, graph.order.next(n), n)
    torsion = torch.where(linked, constant(_OPPOSITE, n_ca_c_o.dtype, n_ca_c_o.device), n_ca_c_o)
    angle = torch.full_like(n[:, 0], shape.ca_c_o)
    return place_atom(reference, graph.ca, c, shape.c_o, angle, torsion)
