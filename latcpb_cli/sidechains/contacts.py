"""Contacts of the candidates of a batch with backbones and with each other, for packing and rescoring."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import GAMMA_SLOT
from latcpb_cli.geometry.masks import expand_ranges, true_indices
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.atom_groups import (
    CONTACT_CUTOFF,
    AtomGroups,
    Contacts,
    candidate_groups,
    find_contacts,
    residue_groups,
)
from latcpb_cli.sidechains.candidates import Candidates

__all__ = [
    "FIXED_SLOTS",
    "N_KNOTS",
    "CandidateContacts",
    "find_candidate_contacts",
    "find_fixed_contacts",
    "interpolation_factors",
    "knot_position",
    "table_sum",
]

FIXED_SLOTS = slice(0, GAMMA_SLOT)
"""Slots of the atoms that chi angles do not move: N, CA, C, O and CB."""
_FIRST_KNOT = 2.5
"""Å; functions of distance are constant below it."""
N_KNOTS = 14
"""Functions of distance are linear between knots 0.25 Å apart, from `_FIRST_KNOT` to zero at the cutoff."""


@dataclass(frozen=True, eq=False)
class CandidateContacts:
    """Contacts of candidates.

    Attributes
    ----------
    candidates : AtomGroups
        One group per candidate.
    backbones : AtomGroups
        One group per residue.
    fixed : list of Contacts
        Candidates (first) with the backbones of neighbours (second).
    mutual : list of Contacts
        Candidates of neighbours with each other, each pair once.
    """

    candidates: AtomGroups
    backbones: AtomGroups
    fixed: list[Contacts]
    mutual: list[Contacts]


def find_candidate_contacts(
    candidates: Candidates, atoms: Float[Tensor, "L 15 3"], graph: Graph
) -> CandidateContacts:
    """Find all contacts of candidates; ``atoms`` (Å) holds the backbones of the candidates."""
    groups = candidate_groups(candidates, graph.types)
    backbones = residue_groups(atoms, graph.types, FIXED_SLOTS)
    mutual = find_contacts(groups, groups, *_candidate_pairs(candidates, groups, graph))
    fixed = find_fixed_contacts(candidates, groups, backbones, graph)
    return CandidateContacts(groups, backbones, fixed, mutual)


def find_fixed_contacts(
    candidates: Candidates, groups: AtomGroups, residues: AtomGroups, graph: Graph
) -> list[Contacts]:
    """Find the contacts of candidates with atoms of neighbouring residues that do not move.

    Parameters
    ----------
    candidates, groups
        The candidates, and one group of atoms for each.
    residues
        One group of atoms for each residue.
    graph
        Neighbourhoods.
    """
    reach = (residues.center - graph.ca.T).norm(dim=0) + residues.radius
    residue, neighbor = _in_contact(graph.ca, *_neighbors(graph), _reach(candidates, groups, graph), reach)
    # Each candidate with all neighbours of its residue.
    bounds = torch.searchsorted(residue, torch.arange(len(graph.ca) + 1, device=residue.device))
    first, count = (x.index_select(0, candidates.residue) for x in (bounds[:-1], bounds.diff()))
    candidate, place = expand_ranges(first, count)
    neighbor = neighbor.index_select(0, place).int()
    return find_contacts(groups, residues, candidate.int(), neighbor, whole_groups=True)


def interpolation_factors(fraction: Float[Tensor, "X"]) -> Float[Tensor, "X 2"]:
    """Return the factors of the knots below and above each distance, by its fraction of the way between."""
    # Pairs of numbers next to each other, as torch makes them fastest on CPUs.
    return torch.view_as_real(torch.complex(1 - fraction, fraction))


def knot_position(distance: Float[Tensor, "X"]) -> tuple[Int[Tensor, "X"], Float[Tensor, "X"]]:
    """Return the knot below each distance (Å), and the fraction (0 to 1) of the way to the next knot."""
    position = (distance - _FIRST_KNOT) * (N_KNOTS / (CONTACT_CUTOFF - _FIRST_KNOT))
    position = position.clamp(min=0.0, max=N_KNOTS - 1e-4)
    knot = position.int()
    return knot, position - knot


def table_sum(
    table: Float[Tensor, "rows W"],
    entries: Int[Tensor, "X terms"],
    factors: Float[Tensor, "X terms"],
    first: Int[Tensor, "owners"],
) -> Float[Tensor, "owners W"]:
    """Sum rows of a table times factors over all contacts of each owner.

    Parameters
    ----------
    table
        Rows of W numbers.
    entries
        Rows of the table that each contact adds.
    factors
        Factor of each of these rows.
    first
        First contact of each owner, ascending; its contacts end where those of the next owner start.
    """
    begin = first * entries.shape[1]
    dtype = torch.int32 if entries.numel() < 2**31 else torch.int64
    return torch.nn.functional.embedding_bag(
        entries.flatten().to(dtype),
        table,
        begin.to(dtype),
        mode="sum",
        per_sample_weights=factors.flatten(),
    )


def _candidate_pairs(
    candidates: Candidates, groups: AtomGroups, graph: Graph
) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"]]:
    """Rows of every two candidates of neighbouring residues whose side chains can touch, each pair once."""
    n_residues = len(graph.types)
    residues = torch.arange(n_residues + 1, device=graph.index.device)
    bounds = torch.searchsorted(candidates.residue, residues, out_int32=True)
    first, count = bounds[:-1], bounds.diff()
    # Every pair of neighbouring residues once, also where only one of them is among the nearest of the other.
    residue, neighbor = _neighbors(graph)
    key = torch.unique(torch.minimum(residue, neighbor) * n_residues + torch.maximum(residue, neighbor))
    lower, upper = torch.div(key, n_residues, rounding_mode="floor"), key % n_residues
    reach = _reach(candidates, groups, graph)
    lower, upper = _in_contact(graph.ca, lower, upper, reach, reach)
    # All candidates of the lower residue, each with all candidates of the upper one.
    pair, one = expand_ranges(first[lower], count[lower])
    upper = upper.index_select(0, pair)
    row, two = expand_ranges(first.index_select(0, upper), count.index_select(0, upper))
    return one.index_select(0, row), two


def _neighbors(graph: Graph) -> tuple[Int[Tensor, "Q"], Int[Tensor, "Q"]]:
    """Rows of every residue, ascending, and of each of its neighbours."""
    rows = true_indices(graph.mask.flatten())
    residue = torch.div(rows, graph.index.shape[1], rounding_mode="floor")
    return residue, graph.index.flatten().index_select(0, rows)


def _reach(candidates: Candidates, groups: AtomGroups, graph: Graph) -> Float[Tensor, "L"]:
    """Largest distance from CA that an atom of any of a residue's candidates can have, Å."""
    reach = (groups.center - graph.ca.T[:, candidates.residue]).norm(dim=0) + groups.radius
    largest: Tensor = reach.new_zeros(len(graph.ca)).scatter_reduce(0, candidates.residue, reach, "amax")
    return largest


def _in_contact(
    ca: Float[Tensor, "L 3"],
    first: Int[Tensor, "Q"],
    second: Int[Tensor, "Q"],
    reach: Float[Tensor, "L"],
    other_reach: Float[Tensor, "L"],
) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"]]:
    """Pairs of residues that atoms so far from their CA (Å) can bring into contact."""
    distance = (ca.index_select(0, first) - ca.index_select(0, second)).norm(dim=-1)
    limit = reach.index_select(0, first) + other_reach.index_select(0, second) + CONTACT_CUTOFF
    near = true_indices(distance < limit)
    return first.index_select(0, near), second.index_select(0, near)
