"""Groups of atoms, and the pairs of atoms of two groups within a cutoff.

Indices of atoms and groups have 32 bits, because memory limits the number of contacts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.atom_types import atom_type_table
from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.device import table_on
from latcpb_cli.geometry.masks import count_rows, expand_ranges, starts, true_indices
from latcpb_cli.sidechains.candidates import SIDE_CHAIN_SLOTS, Candidates

__all__ = [
    "CONTACT_CUTOFF",
    "AtomGroups",
    "Contacts",
    "candidate_groups",
    "find_contacts",
    "groups_of_pairs",
    "pairs_within",
    "residue_groups",
]

CONTACT_CUTOFF = 6.0
"""Distance (Å) from which two atoms have no contact energy and no contact features."""
_PAIRS_PER_CPU_BLOCK, _PAIRS_PER_BLOCK = 2**15, 2**21
"""Pairs of groups that are compared at once, a quarter of which are near: bounds the memory of their atoms.

A CPU has few of them in its cache; on other devices, each block costs some waits of the host.
"""


@dataclass(frozen=True, eq=False)
class AtomGroups:
    """G groups of A atoms altogether, with a bounding sphere for each group.

    Attributes
    ----------
    positions : Tensor, shape (3, A)
        Å; the atoms of a group follow each other.
    atom_types : Tensor of int32, shape (A,)
        Indices into `ATOM_TYPES`.
    first, count : Tensor of int32, shape (G,)
        Index of each group's first atom, and number of its atoms.
    center : Tensor, shape (3, G)
        Mean position of each group, Å.
    radius : Tensor, shape (G,)
        Largest distance of an atom from the center, Å; minus infinity for a group without atoms.
    """

    positions: Float[Tensor, "3 A"]
    atom_types: Int[Tensor, "A"]
    first: Int[Tensor, "G"]
    count: Int[Tensor, "G"]
    center: Float[Tensor, "3 G"]
    radius: Float[Tensor, "G"]

    @classmethod
    def from_slots(
        cls,
        atoms: Float[Tensor, "G slots 3"],
        mask: Bool[Tensor, "G slots"],
        atom_types: Int[Tensor, "G slots"],
    ) -> AtomGroups:
        """Make one group of each row of ``atoms`` (Å), without the slots that ``mask`` leaves out."""
        count = mask.sum(1, dtype=torch.int32)
        center = (atoms * mask[..., None]).sum(1) / count.clamp(min=1)[:, None]
        distance = torch.where(mask, (atoms - center[:, None]).norm(dim=-1), -torch.inf)
        kept = true_indices(mask.flatten())
        positions = atoms.flatten(0, 1).index_select(0, kept).T.contiguous()
        kept_types = atom_types.flatten().index_select(0, kept).int()
        return cls(positions, kept_types, starts(count), count, center.T.contiguous(), distance.amax(-1))


@dataclass(frozen=True, eq=False)
class Contacts:
    """P pairs of groups near each other, and their X contacts: pairs of atoms within `CONTACT_CUTOFF`.

    Attributes
    ----------
    first_group, second_group : Tensor of int, shape (P,)
        Indices of the two groups of each pair.
    count : Tensor of int32, shape (P,)
        Number of contacts of each pair; those of a pair follow each other.
    first_atom, second_atom : Tensor of int32, shape (X,)
        Index of each contact's atom in the first and in the second `AtomGroups`.
    distance : Tensor, shape (X,)
        Å.
    """

    first_group: Int[Tensor, "P"]
    second_group: Int[Tensor, "P"]
    count: Int[Tensor, "P"]
    first_atom: Int[Tensor, "X"]
    second_atom: Int[Tensor, "X"]
    distance: Float[Tensor, "X"]

    @property
    def pair(self) -> Int[Tensor, "X"]:
        """Pair of groups of each contact."""
        return torch.repeat_interleave(self.count, output_size=len(self.distance))

    def select(self, pair_mask: Bool[Tensor, "P"]) -> Contacts:
        """Return the contacts of some pairs of groups."""
        kept, rows = true_indices(pair_mask), true_indices(pair_mask.index_select(0, self.pair))
        return Contacts(
            *(x.index_select(0, kept) for x in (self.first_group, self.second_group, self.count)),
            *(x.index_select(0, rows) for x in (self.first_atom, self.second_atom, self.distance)),
        )


def groups_of_pairs(contacts: Sequence[Contacts]) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"]]:
    """Return the first and the second groups of all pairs of some blocks."""
    first = torch.cat([block.first_group for block in contacts])
    return first, torch.cat([block.second_group for block in contacts])


def candidate_groups(candidates: Candidates, types: Int[Tensor, "L"]) -> AtomGroups:
    """Make one group of the atoms of each candidate."""
    table = table_on(types.device, atom_type_table)[:, SIDE_CHAIN_SLOTS]
    return AtomGroups.from_slots(candidates.atoms, candidates.mask, table[types[candidates.residue]])


def residue_groups(atoms: Float[Tensor, "L 15 3"], types: Int[Tensor, "L"], slots: slice) -> AtomGroups:
    """Make one group of the atoms of each residue in some slots."""
    atom_types, mask = (table_on(types.device, make)[types, slots] for make in (atom_type_table, slot_mask))
    return AtomGroups.from_slots(atoms[:, slots], mask, atom_types)


def find_contacts(
    groups: AtomGroups,
    others: AtomGroups,
    first: Int[Tensor, "Q"],
    second: Int[Tensor, "Q"],
    *,
    whole_groups: bool = False,
) -> list[Contacts]:
    """Find the contacts of Q pairs of groups; pairs whose bounding spheres are too far apart are dropped.

    Parameters
    ----------
    groups, others
        The first groups and the second groups.
    first, second
        Indices of the two groups of each pair.
    whole_groups
        Whether all pairs of a first group are in one block, on a CPU. The first groups must ascend.

    Returns
    -------
    list of Contacts
        One for each block of pairs, in their order, which bounds the memory of what is computed of them; at
        least one, which may be empty.
    """
    on_cpu = first.device.type == "cpu"
    bounds = torch.arange(0, max(len(first), 1), _PAIRS_PER_CPU_BLOCK if on_cpu else _PAIRS_PER_BLOCK)
    if whole_groups and on_cpu and len(first) > 0:
        bounds = torch.unique(torch.searchsorted(first, first[bounds]))
    stops = [*bounds[1:].tolist(), len(first)]
    blocks = (slice(*ends) for ends in zip(bounds.tolist(), stops, strict=True))
    return [_atom_contacts(groups, others, first[block], second[block]) for block in blocks]


def _atom_contacts(
    groups: AtomGroups, others: AtomGroups, first: Int[Tensor, "P"], second: Int[Tensor, "P"]
) -> Contacts:
    """Find the contacts of pairs of groups at once."""
    cutoff = groups.radius.index_select(0, first) + others.radius.index_select(0, second) + CONTACT_CUTOFF
    near, _ = pairs_within(groups.center, first, others.center, second, cutoff)
    first, second = first.index_select(0, near), second.index_select(0, near)
    pair, first_atom = _group_atoms(groups, first)
    other_group = second.index_select(0, pair)
    # Atoms of the first group near the bounding sphere of the second one, then near its atoms.
    cutoff = others.radius.index_select(0, other_group) + CONTACT_CUTOFF
    near, _ = pairs_within(groups.positions, first_atom, others.center, other_group, cutoff)
    row, second_atom = _group_atoms(others, other_group.index_select(0, near))
    row = near.index_select(0, row)
    first_atom = first_atom.index_select(0, row)
    near, squared = pairs_within(groups.positions, first_atom, others.positions, second_atom, CONTACT_CUTOFF)
    count = count_rows(pair.index_select(0, row.index_select(0, near)), len(first)).int()
    first_atom, second_atom = first_atom.index_select(0, near), second_atom.index_select(0, near)
    return Contacts(first, second, count, first_atom, second_atom, squared.sqrt())


def pairs_within(
    positions: Float[Tensor, "3 A"],
    first: Int[Tensor, "P"],
    others: Float[Tensor, "3 B"],
    second: Int[Tensor, "P"],
    cutoff: Float[Tensor, "P"] | float,
) -> tuple[Int[Tensor, "Q"], Float[Tensor, "Q"]]:
    """Return which of P pairs of points are nearer than ``cutoff`` (Å), and their squared distances, Å².

    None are nearer than a cutoff below zero.
    """
    x, y, z = positions.index_select(1, first).sub_(others.index_select(1, second))
    squared = x * x + y * y + z * z
    limit = cutoff.clamp(min=0.0) ** 2 if isinstance(cutoff, Tensor) else cutoff**2
    near = true_indices(squared < limit).int()
    return near, squared.index_select(0, near)


def _group_atoms(groups: AtomGroups, index: Int[Tensor, "P"]) -> tuple[Int[Tensor, "Q"], Int[Tensor, "Q"]]:
    """All atoms of some groups: the row of ``index`` to which each belongs, and its index."""
    return expand_ranges(groups.first.index_select(0, index), groups.count.index_select(0, index))
