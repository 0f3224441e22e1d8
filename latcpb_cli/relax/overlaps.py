"""Pairs of overlapping atoms, and the energy that drives them apart."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.bonds import bond_steps, element_index
from latcpb_cli.chem.residues import (
    C_SLOT,
    CYS,
    ELEMENTS,
    N_SLOT,
    OXT_SLOT,
    VDW_RADIUS,
    slot_mask,
    slot_of,
)
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.geometry.pairs import close_pairs, image_shift
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["OverlapPairs", "repulsion_distances"]

# Constants without a source are chosen as those of `latcpb_cli.relax.relief`.

_FREE_OVERLAP = 0.2  # Å of van der Waals overlap at no energy; half of what counts as a clash
_POLAR_DISTANCE = 2.6  # Å between N and O at no energy: hydrogen bonds
# The same for atoms four bonds apart, which are near each other in every helix: a longer
# distance would shift phi and psi of whole proteins.
_FREE_OVERLAP_1_5, _POLAR_DISTANCE_1_5 = 0.32, 2.55
_SULFUR_DISTANCE, _SULFUR_CARBON_DISTANCE = 2.0, 2.9
"""Å between two SG, and between SG and CB, of a disulfide at no energy (2.05 and 3.05 Å in crystals)."""
_MAX_DISULFIDE = 3.0  # Å: two SG nearer than this count as a disulfide
_MAX_EXCLUDED = 3  # bonds between atoms that do not repel each other
_NOT_BONDED, _ACROSS_DISULFIDE = 99, -1
_STIFFNESS_RAMP = 0.2  # Å of overlap at which a pair reaches its full stiffness
_MIN_DISTANCE = 0.3  # Å: below it, the direction between two atoms is noise, and the force is constant
_SG_SLOT = slot_of("CYS", "SG")


@dataclass(frozen=True, eq=False)
class OverlapPairs:
    """P pairs of atoms that overlap, or may overlap after a few steps.

    Attributes
    ----------
    first, second : Tensor, shape (P,)
        Indices into atoms (15, L), flattened.
    distance : Tensor, shape (P,)
        Distance below which the two atoms repel each other, Å.
    distance_squared : Tensor, shape (P,)
    shift : Tensor, shape (3, P), or None
        Translation of the vector from the second atom to the first to that between nearest images,
        Å; None without periodic boxes.
    """

    first: Int[Tensor, "P"]
    second: Int[Tensor, "P"]
    distance: Float[Tensor, "P"]
    distance_squared: Float[Tensor, "P"]
    shift: Float[Tensor, "3 P"] | None = None

    @classmethod
    def find(
        cls, atoms: Float[Tensor, "3 15 L"], structures: TorsionStructures, margin: float
    ) -> OverlapPairs:
        """List the pairs within each structure that are nearer than their repulsion distance plus a margin.

        Parameters
        ----------
        atoms : Tensor, shape (3, 15, L)
            Current atoms, Å.
        structures : TorsionStructures
            Their residues; rows beyond the sum of ``sizes`` are ignored.
        margin : float
            Å.
        """
        types, linked = structures.types.cpu().numpy(), structures.linked.cpu().numpy()
        following = structures.order.next(torch.arange(len(types), device=structures.types.device))
        chain = _Chain(types, linked, following.cpu().numpy(), structures.order.steps is not None)
        points = atoms.permute(2, 1, 0).cpu().numpy()
        present = slot_mask()[types]
        present[:, OXT_SLOT] = ~linked
        residue, slot = np.nonzero(present)
        element = element_index()[types[residue], slot]
        cells = None if structures.cells is None else structures.cells.numpy()
        bounds = np.searchsorted(residue, np.cumsum([0, *structures.sizes]))
        first, second, shift = _close_atoms(points[present], bounds, element, margin, cells)
        sulfur = points[residue[first], _SG_SLOT] - points[residue[second], _SG_SLOT]
        sulfur = sulfur if shift is None else sulfur + shift
        sites = _Sites(residue[first], slot[first]), _Sites(residue[second], slot[second])
        steps = _bonds_between(chain, sulfur, *sites)
        is_1_5 = (steps == _MAX_EXCLUDED + 1).astype(np.int64)
        distance = repulsion_distances()[is_1_5, element[first], element[second]]
        distance[steps == _ACROSS_DISULFIDE] = _SULFUR_CARBON_DISTANCE
        repel = (steps > _MAX_EXCLUDED) | (steps == _ACROSS_DISULFIDE)
        index = slot * len(types) + residue
        ends = [torch.from_numpy(index[x[repel]]).to(atoms.device) for x in (first, second)]
        distances = torch.from_numpy(distance[repel]).to(atoms)
        shifts = None if shift is None else torch.from_numpy(shift[repel].T).to(atoms).contiguous()
        return cls(ends[0], ends[1], distances, distances * distances, shifts)

    def _vectors(self, atoms: Float[Tensor, "3 15 L"]) -> Float[Tensor, "3 P"]:
        """Vectors from the second atom of each pair to the first, Å."""
        flat = atoms.flatten(1)
        step = flat.index_select(1, self.first) - flat.index_select(1, self.second)
        return step if self.shift is None else step + self.shift

    def gradient(
        self, atoms: Float[Tensor, "3 15 L"]
    ) -> tuple[Float[Tensor, "3 15 L"], Float[Tensor, "15 L"]]:
        """Gradient (Å) and stiffness, on each atom, of the sum of all squared overlaps (Å²)."""
        step = self._vectors(atoms)
        x, y, z = step * step
        # Written out: a sum over an axis rounds differently at different positions of the list.
        squared = x + y + z
        close = true_indices(squared < self.distance_squared)
        distance = squared[close].sqrt().clamp(min=_MIN_DISTANCE)
        force = (self.distance[close] / distance - 1.0) * -2.0 * step[:, close]
        ends = torch.cat([self.first[close], self.second[close]])
        # A ramp instead of a jump: rounding must not decide whether a pair stiffens its joints.
        stiffness = ((self.distance[close] - distance) * (2.0 / _STIFFNESS_RAMP)).clamp(max=2.0)
        values = [*torch.cat([force, -force], dim=1), stiffness.repeat(2)]
        sums = [torch.zeros_like(atoms[0]).flatten().index_add_(0, ends, value) for value in values]
        return torch.stack(sums[:3]).view_as(atoms), sums[3].view(atoms.shape[1:])

    def overlap_depth(self, atoms: Float[Tensor, "3 15 L"], min_overlap: float) -> Float[Tensor, "L"]:
        """Sum over each residue's pairs of the overlap beyond ``min_overlap``, all in Å."""
        x, y, z = self._vectors(atoms) ** 2
        depth = self.distance - min_overlap - torch.sqrt(x + y + z)
        deep = true_indices(depth > 0)
        total = torch.zeros_like(atoms[0, 0])
        for end in (self.first, self.second):
            total.index_add_(0, end[deep] % len(total), depth[deep])
        return total


class _Chain(NamedTuple):
    """Types of L residues, whether a peptide joins each to the next, the row of the next, and any rings."""

    types: Int[np.ndarray, "L"]
    linked: Bool[np.ndarray, "L"]
    following: Int[np.ndarray, "L"]
    has_rings: bool


class _Sites(NamedTuple):
    """Residue and slot of P atoms."""

    residue: Int[np.ndarray, "P"]
    slot: Int[np.ndarray, "P"]


def _close_atoms(
    points: Float[np.ndarray, "A 3"],
    bounds: Int[np.ndarray, "_"],
    element: Int[np.ndarray, "A"],
    margin: float,
    cells: Float[np.ndarray, "B 3 3"] | None,
) -> tuple[Int[np.ndarray, "P"], Int[np.ndarray, "P"], Float[np.ndarray, "P 3"] | None]:
    """Pairs of atoms of one structure within repulsion distance and margin, and shifts to nearest images.

    ``bounds`` are the numbers of the first atom of each structure and of the end.
    """
    firsts, seconds, shifts = [], [], []
    max_distance = float(repulsion_distances().max()) + margin
    for index, (start, stop) in enumerate(itertools.pairwise(bounds)):
        cell = None if cells is None else cells[index]
        first, second, distance = close_pairs(points[start:stop], max_distance, cell)
        first, second = first + start, second + start
        close = distance < repulsion_distances()[0, element[first], element[second]] + margin
        firsts.append(first[close])
        seconds.append(second[close])
        if cell is not None:
            shifts.append(image_shift(points[firsts[-1]] - points[seconds[-1]], cell))
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(shifts) if shifts else None


def _bonds_between(
    chain: _Chain,
    sulfur: Float[np.ndarray, "P 3"],
    first: _Sites,
    second: _Sites,
) -> Int[np.ndarray, "P"]:
    """Number of bonds between the atoms of each pair, or one of the two special values.

    ``sulfur`` are the vectors (Å) from slot 5 of the second residue to that of
    the first, which is SG where both are cysteines. Pairs more than two
    residues apart, and pairs across breaks, are ``_NOT_BONDED``; SG of one
    cysteine and CB of another that share a disulfide are ``_ACROSS_DISULFIDE``,
    because no other atoms come nearer through the bond than without it.
    """
    table, types = bond_steps().astype(np.int64), chain.types
    type_first, type_second = types[first.residue], types[second.residue]
    steps = np.full(len(type_first), _NOT_BONDED)
    same = np.flatnonzero(first.residue == second.residue)
    steps[same] = table[type_first[same], first.slot[same], second.slot[same]]
    # The second residue of a pair has the higher row; in a ring it may come before the first.
    directions = [(first, second), (second, first)] if chain.has_rings else [(first, second)]
    target, joined = chain.following, chain.linked
    for gap in (1, 2):
        for one, two in directions:
            rows = np.flatnonzero((two.residue == target[one.residue]) & joined[one.residue])
            to_c = table[types[one.residue[rows]], one.slot[rows], C_SLOT]
            from_n = table[types[two.residue[rows]], two.slot[rows], N_SLOT]
            # A peptide bond, and N-CA-C with another peptide bond for a residue in between.
            steps[rows] = np.minimum(steps[rows], to_c + from_n + 3 * gap - 2)
        target, joined = chain.following[target], joined & chain.linked[target]
    cysteines = (type_first == CYS) & (type_second == CYS) & (first.residue != second.residue)
    rows = np.flatnonzero(cysteines)
    rows = rows[(sulfur[rows] ** 2).sum(-1) < _MAX_DISULFIDE**2]
    to_sulfur = table[CYS, :, _SG_SLOT]
    steps[rows[to_sulfur[first.slot[rows]] + to_sulfur[second.slot[rows]] == 1]] = _ACROSS_DISULFIDE
    return steps


@cache
def repulsion_distances() -> Float[np.ndarray, "2 4 4"]:
    """Distance (Å) below which two elements repel each other: in general, and four bonds apart."""
    radius = np.array([VDW_RADIUS[element] for element in ELEMENTS])
    polar = np.array([element in "NO" for element in ELEMENTS])
    sulfur = ELEMENTS.index("S")
    tables = []
    for free_overlap, polar_distance in (
        (_FREE_OVERLAP, _POLAR_DISTANCE),
        (_FREE_OVERLAP_1_5, _POLAR_DISTANCE_1_5),
    ):
        distance = radius[:, None] + radius - free_overlap
        distance[np.ix_(polar, polar)] = polar_distance
        distance[sulfur, sulfur] = _SULFUR_DISTANCE
        tables.append(distance)
    return np.array(tables)
