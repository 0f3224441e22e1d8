"""What the candidates of a frame touch: backbones, and each other. Packing and rescoring read it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import GAMMA_SLOT
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.atom_groups import (
    REACH,
    AtomGroups,
    Contacts,
    candidate_groups,
    find_contacts,
    ranges,
    residue_groups,
)
from latcpb_cli.sidechains.candidates import Candidates

__all__ = [
    "BACKBONE",
    "KNOTS",
    "CandidateContacts",
    "knot_position",
    "contacts_with",
    "find_candidate_contacts",
    "read",
]

BACKBONE = slice(0, GAMMA_SLOT)
"""Slots that stand still: N, CA, C, O and CB."""
KNOTS = 14
"""Functions of distance are linear between so many knots, and end at zero at the reach."""
_NEAREST = 2.5  # Å; where they begin


@dataclass(frozen=True, eq=False)
class CandidateContacts:
    """Atoms within reach of each other.

    Attributes
    ----------
    candidates, backbones
        One group for each candidate, and for each residue.
    still
        Candidates (one) with backbones of neighbours (two).
    between
        Candidates of neighbours with each other, each pair once.
    """

    candidates: AtomGroups
    backbones: AtomGroups
    still: Contacts
    between: Contacts


def find_candidate_contacts(
    candidates: Candidates, atoms: Float[Tensor, "L 15 3"], graph: Graph
) -> CandidateContacts:
    """Find them; ``atoms`` (Å) holds the backbones on which the candidates stand."""
    own = candidate_groups(candidates, graph.types)
    backbones = residue_groups(atoms, graph.types, BACKBONE)
    between = find_contacts(own, own, *_candidate_pairs(candidates, own, graph))
    return CandidateContacts(own, backbones, contacts_with(candidates, own, backbones, graph), between)


def contacts_with(candidates: Candidates, own: AtomGroups, still: AtomGroups, graph: Graph) -> Contacts:
    """Contacts of candidates with atoms of neighbours that stand still, one group for each residue."""
    row, neighbor = torch.nonzero(graph.valid[candidates.residue]).unbind(1)
    return find_contacts(own, still, row.int(), graph.index[candidates.residue[row], neighbor].int())


def knot_position(distance: Float[Tensor, "C"]) -> tuple[Int[Tensor, "C"], Float[Tensor, "C"]]:
    """Where distances (Å) lie: the knot before each, and how far on the way to the next (0 to 1)."""
    way = (distance - _NEAREST) * (KNOTS / (REACH - _NEAREST))
    way = way.clamp(min=0.0, max=KNOTS - 1e-4)
    knot = way.int()
    return knot, way - knot


def read(
    table: Float[Tensor, "N W"],
    entries: Int[Tensor, "C T"],
    values: Float[Tensor, "C T"],
    owner: Int[Tensor, "C"],
    count: int,
) -> Float[Tensor, "G W"]:
    """Add up entries of a table times their values, for each of ``count`` owners (rising)."""
    each = torch.bincount(owner, minlength=count)
    begin = (each.cumsum(0) - each) * entries.shape[1]
    number = torch.int32 if entries.numel() < 2**31 else torch.int64
    return torch.nn.functional.embedding_bag(
        entries.flatten().to(number),
        table,
        begin.to(number),
        mode="sum",
        per_sample_weights=values.flatten(),
    )


def _candidate_pairs(
    candidates: Candidates, own: AtomGroups, graph: Graph
) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"]]:
    """Rows of every two candidates of residues that are neighbours and could touch, each pair once."""
    count = torch.bincount(candidates.residue, minlength=len(graph.types)).int()
    first = count.cumsum(0, dtype=count.dtype) - count
    here = torch.arange(len(graph.types), device=count.device)[:, None].expand_as(graph.index)
    low, high = torch.minimum(here, graph.index)[graph.valid], torch.maximum(here, graph.index)[graph.valid]
    key = torch.unique(low * len(graph.types) + high)
    low, high = torch.div(key, len(graph.types), rounding_mode="floor"), key % len(graph.types)
    reach = (own.middle - graph.ca.T[:, candidates.residue]).norm(dim=0) + own.radius
    most = reach.new_zeros(len(graph.types)).scatter_reduce(0, candidates.residue, reach, "amax")
    near = true_indices((graph.ca[low] - graph.ca[high]).norm(dim=-1) < most[low] + most[high] + REACH)
    low, high = low.index_select(0, near), high.index_select(0, near)
    pair, one = ranges(first[low], count[low])
    high = high.index_select(0, pair)
    row, two = ranges(first.index_select(0, high), count.index_select(0, high))
    return one.index_select(0, row), two
