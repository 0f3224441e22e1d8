"""Disulfides between cysteines whose Cα and Cβ are positioned for one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.bonds import bond_steps, element_index
from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, CYS, ELEMENTS, HIS, VDW_RADIUS, slot_of
from latcpb_cli.complete.disulfide_geometry import CysteinePairs
from latcpb_cli.complete.nearby_atoms import NearbyAtoms, find_nearby_atoms
from latcpb_cli.geometry.pairs import close_pairs, image_shift
from latcpb_cli.structure import Bridge, CGTrace

__all__ = ["CandidatePairs", "find_candidates", "make_disulfides"]

_MIN_CA_DISTANCE, _MAX_CA_DISTANCE = 3.75, 7.5
_MIN_CB_DISTANCE, _MAX_CB_DISTANCE = 2.9, 4.9
"""Å; 99 % of the disulfides of the crystal structures trained on have 3.76 to 6.87 and 3.36 to 4.54 Å.

The ranges are wider because the beads and the built backbone are less accurate than a crystal structure.
"""
_MIN_METAL_DISTANCE, _MAX_METAL_DISTANCE = 3.1, 4.3
"""Å between two sulfurs at a metal ion: 3.8 in a tetrahedron with Zn-S 2.33 Å."""
_N_METAL_LIGANDS, _MAX_LIGAND_DISTANCE = 2, 7.0
"""Number of further Cys or His at a metal ion, and their maximum CB distance (Å) from both cysteines."""
_MAX_COST = 25.0  # of a disulfide: one measure five widths from usual, or several less
_OVERLAP_WIDTH = 0.2  # Å of overlap that costs as much as one width
_FREE_OVERLAP = 0.3  # Å of van der Waals overlap at no cost
_NEIGHBOR_RADIUS = 14.0  # Å between Cα: half a disulfide and the longest side chain
_SG_SLOT = slot_of("CYS", "SG")


class _Structure(NamedTuple):
    """Atoms (Å) of L residues, and the vectors of the periodic box."""

    types: Int[np.ndarray, "L"]
    atoms: Float[np.ndarray, "L 15 3"]
    present: Bool[np.ndarray, "L 15"]
    cell: Float[np.ndarray, "3 3"]


class CandidatePairs(NamedTuple):
    """Residues of P pairs, and translations (Å) to subtract from the second for the nearest image."""

    first: Int[np.ndarray, "P"]
    second: Int[np.ndarray, "P"]
    shift: Float[np.ndarray, "P 3"]

    def select(self, rows: Int[np.ndarray, "Q"] | Bool[np.ndarray, "P"]) -> CandidatePairs:
        return CandidatePairs(self.first[rows], self.second[rows], self.shift[rows])

    def vectors(self, atoms: Float[np.ndarray, "L W 3"], slot: int) -> Float[np.ndarray, "P 3"]:
        """Vectors from the atom of the first residue to that of the second, Å."""
        return np.asarray(atoms[self.second, slot].astype(np.float64) - self.shift - atoms[self.first, slot])


def make_disulfides(
    trace: CGTrace,
    atoms: Float[np.ndarray, "L 15 3"],
    present: Bool[np.ndarray, "L 15"],
    cell: Float[np.ndarray, "3 3"],
) -> tuple[Bridge, ...]:
    """Make the disulfides of one structure, moving SG in place.

    Candidates are pairs within and between chains, and across periodic
    boundaries, with suitable Cα-Cα and Cβ-Cβ distances; pairs that have further
    Cys or His around them as at a zinc ion are left out. For each pair, chi 1
    and small bends of CA-CB-SG are optimised for a bond of 2.05 Å. Its cost
    measures deviations from the geometry of disulfides and overlaps of the
    sulfurs with other atoms. Pairs are joined in the order of their costs up to
    a maximum, each cysteine once.

    Parameters
    ----------
    trace : CGTrace
    atoms : numpy.ndarray of float32, shape (L, 15, 3)
        Å.
    present : numpy.ndarray of bool, shape (L, 15)
        Which slots hold an atom.
    cell : numpy.ndarray, shape (3, 3)
        Vectors of the periodic box as rows, Å; zeros for no box.

    Returns
    -------
    tuple of (int, int)
        Residue indices of each disulfide, ascending.
    """
    pairs = find_candidates(trace, atoms, cell)
    if not len(pairs.first):
        return ()
    sulfurs, cost = CysteinePairs.from_atoms(atoms[pairs.first], atoms[pairs.second], pairs.shift).solve()
    _add_overlap_costs(cost, sulfurs, pairs, _Structure(trace.residue_types, atoms, present, cell))
    best = np.arange(len(cost)), cost.argmin(axis=1)
    sulfurs, cost = sulfurs[best], cost[best]
    joined: list[Bridge] = []
    used: set[int] = set()
    for index in np.lexsort((pairs.second, pairs.first, cost)).tolist():
        first, second = int(pairs.first[index]), int(pairs.second[index])
        if cost[index] > _MAX_COST or used & {first, second}:
            continue
        used |= {first, second}
        atoms[first, _SG_SLOT] = sulfurs[index, 0]
        atoms[second, _SG_SLOT] = sulfurs[index, 1] + pairs.shift[index]
        joined.append((first, second))
    return tuple(sorted(joined))


def find_candidates(
    trace: CGTrace, atoms: Float[np.ndarray, "L 15 3"], cell: Float[np.ndarray, "3 3"]
) -> CandidatePairs:
    """Find the pairs of cysteines with distances of a disulfide, by first and second residue."""
    cysteines = np.flatnonzero(trace.residue_types == CYS)
    if len(cysteines) < 2:
        return CandidatePairs(cysteines[:0], cysteines[:0], np.zeros((0, 3)))
    first, second, ca_distance = close_pairs(atoms[cysteines, CA_SLOT], _MAX_CA_DISTANCE, cell)
    first, second = cysteines[first], cysteines[second]
    are_neighbors = (second - first == 1) & trace.same_chain_as_next()[first]
    for ring in trace.rings:
        are_neighbors |= (first == ring[0]) & (second == ring[1])
    kept = (ca_distance > _MIN_CA_DISTANCE) & ~are_neighbors
    first, second = first[kept], second[kept]
    shift = -image_shift(atoms[second, CA_SLOT].astype(np.float64) - atoms[first, CA_SLOT], cell)
    pairs = CandidatePairs(first, second, shift)
    cb = pairs.vectors(atoms, CB_SLOT)
    cb_distance = np.sqrt((cb * cb).sum(-1))
    suitable = (cb_distance > _MIN_CB_DISTANCE) & (cb_distance < _MAX_CB_DISTANCE)
    pairs = pairs.select(suitable & ~_are_at_metal(trace.residue_types, atoms, pairs, cell))
    return pairs.select(np.lexsort((pairs.second, pairs.first)))


def _are_at_metal(
    types: Int[np.ndarray, "L"],
    atoms: Float[np.ndarray, "L 15 3"],
    pairs: CandidatePairs,
    cell: Float[np.ndarray, "3 3"],
) -> Bool[np.ndarray, "P"]:
    """Whether the sulfurs and further Cys or His of each pair are positioned as around a metal ion."""
    sulfur = pairs.vectors(atoms, _SG_SLOT)
    distance = np.sqrt((sulfur * sulfur).sum(-1))
    ligands = np.flatnonzero((types == CYS) | (types == HIS))
    near = []
    for residue in (pairs.first, pairs.second):
        step = atoms[ligands, CB_SLOT].astype(np.float64) - atoms[residue, None, CB_SLOT]
        step = step + image_shift(step.reshape(-1, 3), cell).reshape(step.shape)
        near.append((step * step).sum(-1) < _MAX_LIGAND_DISTANCE**2)
    # The two cysteines themselves are among the ligands near both.
    has_ligands = (near[0] & near[1]).sum(axis=1) >= 2 + _N_METAL_LIGANDS
    return np.asarray(has_ligands & (distance > _MIN_METAL_DISTANCE) & (distance < _MAX_METAL_DISTANCE))


def _add_overlap_costs(
    cost: Float[np.ndarray, "P K"],
    sulfurs: Float[np.ndarray, "P K 2 3"],
    pairs: CandidatePairs,
    structure: _Structure,
) -> None:
    """Add the cost of the overlaps of both sulfurs of each solution with other atoms, in place."""
    for index, ends in enumerate(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)):
        shifts = np.zeros(3), pairs.shift[index]
        for end, (residue, partner) in enumerate((ends, ends[::-1])):
            nearby = find_nearby_atoms(
                structure.atoms, residue, structure.present, structure.cell, _NEIGHBOR_RADIUS
            )
            positions = sulfurs[index, :, end] + shifts[end]
            cost[index] += _overlap_cost(structure.types, positions, residue, partner, nearby)


def _overlap_cost(
    types: Int[np.ndarray, "L"],
    sulfur: Float[np.ndarray, "K 3"],
    residue: int,
    partner: int,
    nearby: NearbyAtoms,
) -> Float[np.ndarray, "K"]:
    """Cost of the overlaps of an SG in K positions with atoms more than three bonds away."""
    steps = bond_steps()[CYS, _SG_SLOT][nearby.slots]
    # The disulfide adds one bond to the steps inside the partner.
    is_bonded = ((nearby.residues == residue) & (steps <= 3)) | ((nearby.residues == partner) & (steps <= 2))
    elements = element_index()[types[nearby.residues], nearby.slots]
    radius = np.array([VDW_RADIUS[element] for element in ELEMENTS])[elements]
    contact_distance = np.where(is_bonded, 0.0, radius + VDW_RADIUS["S"] - _FREE_OVERLAP)
    step = sulfur[:, None] - nearby.points
    distance = np.sqrt((step * step).sum(-1))
    overlap = np.maximum(contact_distance - distance, 0.0)
    return np.asarray(((overlap / _OVERLAP_WIDTH) ** 2).sum(-1))
