"""Pairs of overlapping atoms, and the energy that drives them apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.bonds import bond_steps
from latcpb_cli.chem.residues import (
    C_SLOT,
    CYS,
    ELEMENTS,
    N_SLOT,
    VDW_RADIUS,
    slot_of,
)
from latcpb_cli.device import table_on
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.geometry.structure_pairs import image_shifts, structure_pairs
from latcpb_cli.relax.sites import Sites
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
    ends : Tensor, shape (2, P)
        The two atoms of each pair: indices into atoms (15, L), flattened.
    distance : Tensor, shape (P,)
        Distance below which the two atoms repel each other, Å.
    distance_squared : Tensor, shape (P,)
    columns : Tensor, shape (4, 1)
        First of each of four columns of numbers, one for each entry of (15, L), that follow each other.
    shift : Tensor, shape (3, P), or None
        Translation of the vector from the second atom to the first to that between nearest images,
        Å; None without periodic boxes.
    """

    ends: Int[Tensor, "2 P"]
    distance: Float[Tensor, "P"]
    distance_squared: Float[Tensor, "P"]
    columns: Int[Tensor, "4 1"]
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
        all_atoms, cutoff = structures.atom_sites, float(repulsion_distances().max()) + margin
        sites, points = all_atoms.sites, all_atoms.positions(atoms)
        first, second, distance = structure_pairs(points, all_atoms.structure, cutoff, structures.cells)
        repulsion = table_on(atoms.device, repulsion_distances)
        elements = sites.element.index_select(0, first), sites.element.index_select(0, second)
        near = distance < repulsion[0, elements[0], elements[1]] + margin
        if structures.movable is not None:
            movable = structures.movable.index_select(0, sites.residue)
            near &= movable.index_select(0, first) | movable.index_select(0, second)
        close = true_indices(near)
        first, second = first.index_select(0, close), second.index_select(0, close)
        step, shift = points.index_select(0, first) - points.index_select(0, second), None
        if structures.cells is not None:
            shift = image_shifts(step, all_atoms.structure.index_select(0, first), structures.cells)
        ends = sites.select(first), sites.select(second)
        steps = _bonds_between(atoms, structures, shift, *ends)
        is_1_5, across = (steps == _MAX_EXCLUDED + 1).long(), steps == _ACROSS_DISULFIDE
        limit = repulsion[is_1_5, ends[0].element, ends[1].element]
        limit = torch.where(across, _SULFUR_CARBON_DISTANCE, limit).to(atoms.dtype)
        repel = true_indices((steps > _MAX_EXCLUDED) | across)
        limit = limit.index_select(0, repel)
        rows = [all_atoms.row.index_select(0, end.index_select(0, repel)) for end in (first, second)]
        shifts = None if shift is None else shift[repel].T.to(atoms.dtype).contiguous()
        columns = atoms[0].numel() * torch.arange(4, device=atoms.device)[:, None]
        return cls(torch.stack(rows), limit, limit * limit, columns, shifts)

    def _vectors(self, atoms: Float[Tensor, "3 15 L"]) -> Float[Tensor, "3 P"]:
        """Vectors from the second atom of each pair to the first, Å."""
        first, second = atoms.flatten(1).index_select(1, self.ends.flatten()).view(3, 2, -1).unbind(1)
        step = first - second
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
        distance = squared.index_select(0, close).sqrt().clamp(min=_MIN_DISTANCE)
        limit = self.distance.index_select(0, close)
        force = (limit / distance - 1.0) * -2.0 * step.index_select(1, close)
        # A ramp instead of a jump: rounding must not decide whether a pair stiffens its joints.
        stiffness = ((limit - distance) * (2.0 / _STIFFNESS_RAMP)).clamp(max=2.0)
        values = torch.cat([force, stiffness[None], -force, stiffness[None]])
        sums = atoms.new_zeros(4 * atoms[0].numel())
        rows = self.ends.index_select(1, close)[:, None] + self.columns
        sums = sums.index_add_(0, rows.flatten(), values.flatten()).view(4, *atoms.shape[1:])
        return sums[:3], sums[3]

    def overlap_depth(self, atoms: Float[Tensor, "3 15 L"], min_overlap: float) -> Float[Tensor, "L"]:
        """Sum over each residue's pairs of the overlap beyond ``min_overlap``, all in Å."""
        x, y, z = self._vectors(atoms) ** 2
        depth = self.distance - min_overlap - torch.sqrt(x + y + z)
        deep = true_indices(depth > 0)
        total = torch.zeros_like(atoms[0, 0])
        for end in self.ends:
            total.index_add_(0, end[deep] % len(total), depth[deep])
        return total


def _bonds_between(
    atoms: Float[Tensor, "3 15 L"],
    structures: TorsionStructures,
    shift: Float[Tensor, "P 3"] | None,
    first: Sites,
    second: Sites,
) -> Int[Tensor, "P"]:
    """Number of bonds between the atoms of each pair, or one of the two special values.

    ``shift`` are the translations (Å) of the second atoms to their nearest images. Pairs more than two
    residues apart, and pairs across breaks, are ``_NOT_BONDED``; SG of one
    cysteine and CB of another that share a disulfide are ``_ACROSS_DISULFIDE``,
    because no other atoms come nearer through the bond than without it.
    """
    types, linked, order = structures.types, structures.linked, structures.order
    table = table_on(types.device, bond_steps).long()
    steps = torch.full_like(first.residue, _NOT_BONDED)
    same = true_indices(first.residue == second.residue)
    steps[same] = table[types[first.residue[same]], first.slot[same], second.slot[same]]
    # The second residue of a pair has the higher row; in a ring it may come before the first.
    directions = [(first, second), (second, first)] if order.steps is not None else [(first, second)]
    following = order.next(torch.arange(len(types), device=types.device))
    target, joined = following, linked
    for gap in (1, 2):
        for one, two in directions:
            follows = two.residue == target.index_select(0, one.residue)
            rows = true_indices(follows & joined.index_select(0, one.residue))
            to_c = table[types[one.residue[rows]], one.slot[rows], C_SLOT]
            from_n = table[types[two.residue[rows]], two.slot[rows], N_SLOT]
            # A peptide bond, and N-CA-C with another peptide bond for a residue in between.
            steps[rows] = torch.minimum(steps[rows], to_c + from_n + 3 * gap - 2)
        target, joined = following[target], joined & linked[target]
    rows = _across_disulfides(atoms, types, shift, first, second)
    steps[rows] = _ACROSS_DISULFIDE
    return steps


def _across_disulfides(
    atoms: Float[Tensor, "3 15 L"],
    types: Int[Tensor, "L"],
    shift: Float[Tensor, "P 3"] | None,
    first: Sites,
    second: Sites,
) -> Int[Tensor, "D"]:
    """Pairs of SG of one cysteine and CB of another whose SG are near enough for a disulfide."""
    cysteine = types == CYS
    both = cysteine.index_select(0, first.residue) & cysteine.index_select(0, second.residue)
    rows = true_indices(both & (first.residue != second.residue))
    sulfur = atoms[:, _SG_SLOT]
    step = sulfur[:, first.residue[rows]] - sulfur[:, second.residue[rows]]
    x, y, z = step if shift is None else step + shift[rows].T
    to_sulfur = table_on(types.device, bond_steps)[CYS, :, _SG_SLOT]
    next_to_one = to_sulfur[first.slot[rows]] + to_sulfur[second.slot[rows]] == 1
    return rows[true_indices((x * x + y * y + z * z < _MAX_DISULFIDE**2) & next_to_one)]


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
