"""Groups of atoms, and which of their atoms come within reach of each other.

Numbers of atoms and groups have 32 bits: there are many contacts, and memory is what they cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.atom_types import atom_type_table
from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.sidechains.candidates import SIDE, Candidates

__all__ = [
    "REACH",
    "Contacts",
    "AtomGroups",
    "find_contacts",
    "candidate_groups",
    "ranges",
    "residue_groups",
    "within",
]

REACH = 6.0
"""Distance (Å) at which atoms stop seeing each other."""
_BLOCK = 8192  # pairs of groups looked at at once


@dataclass(frozen=True, eq=False)
class AtomGroups:
    """G groups of A atoms in all, each group small enough to have a middle and a radius.

    Attributes
    ----------
    points : Å, (3, A)
    kinds : (A,)
    first, count : where each group's atoms begin, and how many they are, (G,)
    middle, radius : of each group, Å, (3, G) and (G,); a group without atoms reaches nothing
    """

    points: Float[Tensor, "3 A"]
    kinds: Int[Tensor, "A"]
    first: Int[Tensor, "G"]
    count: Int[Tensor, "G"]
    middle: Float[Tensor, "3 G"]
    radius: Float[Tensor, "G"]

    @classmethod
    def of(
        cls, atoms: Float[Tensor, "G a 3"], there: Bool[Tensor, "G a"], kinds: Int[Tensor, "G a"]
    ) -> AtomGroups:
        """Leave out the atoms that are not there."""
        count = there.sum(1, dtype=torch.int32)
        middle = (atoms * there[..., None]).sum(1) / count.clamp(min=1)[:, None]
        away = torch.where(there, (atoms - middle[:, None]).norm(dim=-1), -torch.inf)
        atom = true_indices(there.flatten())
        points = atoms.flatten(0, 1).index_select(0, atom).T.contiguous()
        kind = kinds.flatten().index_select(0, atom).int()
        first = count.cumsum(0, dtype=count.dtype) - count
        return cls(points, kind, first, count, middle.T.contiguous(), away.amax(-1))


@dataclass(frozen=True, eq=False)
class Contacts:
    """P pairs of groups that come near, and their C pairs of atoms within `REACH`, pair of groups by pair.

    Attributes
    ----------
    one, two : numbers of the groups, (P,)
    pair : which pair of groups, rising, (C,)
    own, other : number of the atom in the first and in the second shapes, (C,)
    distance : Å, (C,)
    """

    one: Int[Tensor, "P"]
    two: Int[Tensor, "P"]
    pair: Int[Tensor, "C"]
    own: Int[Tensor, "C"]
    other: Int[Tensor, "C"]
    distance: Float[Tensor, "C"]

    def of(self, pairs: Bool[Tensor, "P"]) -> Contacts:
        """Those of some pairs of groups."""
        kept, number = true_indices(pairs), pairs.cumsum(0, dtype=torch.int32) - 1
        rows = true_indices(pairs.index_select(0, self.pair))
        pair, own, other, distance = (
            x.index_select(0, rows) for x in (self.pair, self.own, self.other, self.distance)
        )
        one, two = self.one.index_select(0, kept), self.two.index_select(0, kept)
        return Contacts(one, two, number.index_select(0, pair), own, other, distance)


def candidate_groups(candidates: Candidates, types: Int[Tensor, "L"]) -> AtomGroups:
    """One group for each candidate."""
    kinds = torch.from_numpy(atom_type_table())[:, SIDE].to(types.device)[types[candidates.residue]]
    return AtomGroups.of(candidates.atoms, candidates.there, kinds)


def residue_groups(atoms: Float[Tensor, "L 15 3"], types: Int[Tensor, "L"], slots: slice) -> AtomGroups:
    """One group of some slots for each residue."""
    kinds, there = (
        torch.from_numpy(x).to(types.device)[types, slots] for x in (atom_type_table(), slot_mask())
    )
    return AtomGroups.of(atoms[:, slots], there, kinds)


def find_contacts(
    shapes: AtomGroups, others: AtomGroups, one: Int[Tensor, "Q"], two: Int[Tensor, "Q"]
) -> Contacts:
    """Contacts between groups ``one`` of the first and ``two`` of the second shapes."""
    reach = shapes.radius.index_select(0, one) + others.radius.index_select(0, two) + REACH
    near = within(shapes.middle, one, others.middle, two, reach)[0]
    one, two = one.index_select(0, near), two.index_select(0, near)
    blocks = [
        _contacts(shapes, others, one, two, slice(start, start + _BLOCK))
        for start in range(0, len(one), _BLOCK)
    ]
    if not blocks:
        return Contacts(one, two, one, one, one, shapes.points[0, :0])
    return Contacts(one, two, *(torch.cat(parts) for parts in zip(*blocks, strict=True)))


def _contacts(
    shapes: AtomGroups, others: AtomGroups, one: Int[Tensor, "P"], two: Int[Tensor, "P"], block: slice
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Some of the pairs: which, the two atoms, and their distance."""
    one, two = one[block], two[block]
    pair, own = _members(shapes, one)
    group = two.index_select(0, pair)
    reach = others.radius.index_select(0, group) + REACH
    near = within(shapes.points, own, others.middle, group, reach)[0]
    row, other = _members(others, group.index_select(0, near))
    row = near.index_select(0, row)
    own = own.index_select(0, row)
    near, distance = within(shapes.points, own, others.points, other, REACH)
    pair = pair.index_select(0, row.index_select(0, near)) + block.start
    return pair, own.index_select(0, near), other.index_select(0, near), distance


def within(
    points: Float[Tensor, "3 A"],
    one: Int[Tensor, "P"],
    others: Float[Tensor, "3 B"],
    two: Int[Tensor, "P"],
    reach: Tensor | float,
) -> tuple[Int[Tensor, "Q"], Float[Tensor, "Q"]]:
    """Which pairs of points are nearer to each other than ``reach`` (Å), and their distance (Å)."""
    x, y, z = points.index_select(1, one) - others.index_select(1, two)
    distance = torch.sqrt(x * x + y * y + z * z)
    near = true_indices(distance < reach).int()
    return near, distance.index_select(0, near)


def ranges(first: Int[Tensor, "P"], count: Int[Tensor, "P"]) -> tuple[Int[Tensor, "Q"], Int[Tensor, "Q"]]:
    """Count on from each of ``first``: which of them each number comes from, and the number."""
    row = torch.repeat_interleave(count)
    ahead = first - (count.cumsum(0, dtype=first.dtype) - count)
    return row, torch.arange(len(row), dtype=first.dtype, device=row.device) + ahead.index_select(0, row)


def _members(shapes: AtomGroups, groups: Int[Tensor, "P"]) -> tuple[Int[Tensor, "Q"], Int[Tensor, "Q"]]:
    """All atoms of some groups: which of ``groups`` each belongs to, and its number."""
    return ranges(shapes.first.index_select(0, groups), shapes.count.index_select(0, groups))
