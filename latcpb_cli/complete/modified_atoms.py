"""The extra atoms of modified residues, at the rotations with the least overlap."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.modified import atom_slots
from latcpb_cli.chem.modified_bonds import ALL_ELEMENTS, all_bond_steps, all_element_index
from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, N_SLOTS, NAMES, VDW_RADIUS
from latcpb_cli.complete.extra_atoms import (
    extra_slots,
    modified_residue_of,
    place_extra_atoms,
    rotation_energy,
)
from latcpb_cli.complete.nearby_atoms import NearbyAtoms, find_nearby_atoms
from latcpb_cli.geometry.angles import unit
from latcpb_cli.structure import AtomTopology, CGTrace

__all__ = ["attach_modified_atoms"]

_NEIGHBOR_RADIUS = 20.0  # Å between Cα: two of the longest side chains with a phosphate
_FREE_OVERLAP = 0.2  # Å of van der Waals overlap at no energy, as in relaxation
_POLAR_DISTANCE = 2.7  # Å between two atoms out of N and O at no energy: hydrogen bonds
_MAX_EXCLUDED = 3  # bonds between atoms that do not overlap
_CROWDED = 0.25  # Å²: with more overlap at the best rotations, chi 1 of Ser and Thr turns as well
_CHI_TURNS = np.radians([0.0, -15.0, 15.0, -30.0, 30.0, *range(90, 271, 15)])
_ECLIPSED_ENERGY, _TURN_ENERGY = 0.15, 0.05
"""Å²: maxima of the energies of chi 1 between two rotamers, and of turning away from the model's chi 1."""


def attach_modified_atoms(
    trace: CGTrace, atoms: Float[np.ndarray, "F L 15 3"], cells: Float[np.ndarray, "F 3 3"]
) -> Float[np.ndarray, "F L W 3"]:
    """Add the slots of modified residues to atoms, and fill them.

    Bond lengths and angles are ideal. All combinations of the free rotations in
    steps of 15° are tried, residue by residue along the trace, and the one with
    the least overlap is taken. Where all of them overlap, chi 1 of a
    phosphorylated Ser or Thr turns too; no other atom of the parents moves.
    The result for one structure does not depend on the others.

    Parameters
    ----------
    trace : CGTrace
    atoms : numpy.ndarray of float32, shape (F, L, 15, 3)
        In Å.
    cells : numpy.ndarray, shape (F, 3, 3)
        Vectors of the periodic box of each structure as rows, Å; zeros for no box.

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, W, 3)
        W is ``trace.n_slots``; ``atoms`` itself where no residue has extra atoms.
    """
    if trace.n_slots == N_SLOTS:
        return atoms
    completed = np.zeros((*atoms.shape[:2], trace.n_slots, 3), dtype=np.float32)
    completed[:, :, :N_SLOTS] = atoms
    residue_kinds, present = trace.residue_kinds, AtomTopology.heavy_atoms(trace).present
    present[:, N_SLOTS:] = False
    for residue in np.flatnonzero(residue_kinds >= len(NAMES)).tolist():
        _attach(completed, residue, residue_kinds, present, cells)
        present[residue, extra_slots(int(residue_kinds[residue]))] = True
    return completed


def _attach(
    atoms: Float[np.ndarray, "F L W 3"],
    residue: int,
    residue_kinds: Int[np.ndarray, "L"],
    present: Bool[np.ndarray, "L W"],
    cells: Float[np.ndarray, "F 3 3"],
) -> None:
    """Fill the extra slots of one residue in all structures, in place."""
    kind = int(residue_kinds[residue])
    slots, energy = extra_slots(kind), rotation_energy(kind)
    can_turn_chi = modified_residue_of(kind).parent in ("SER", "THR")
    for frame, candidates in enumerate(place_extra_atoms(kind, atoms[:, residue].astype(np.float64))):
        best = 0
        if len(candidates) > 1:
            nearby = find_nearby_atoms(atoms[frame], residue, present, cells[frame], _NEIGHBOR_RADIUS)
            overlap = _overlap(candidates, slots, residue, residue_kinds, nearby)
            best = int(np.argmin(overlap + energy))
            if overlap[best] > _CROWDED and can_turn_chi:
                _turn_side_chain(atoms[frame], residue, residue_kinds, nearby)
                continue
        atoms[frame, residue, slots] = candidates[best]


def _turn_side_chain(
    atoms: Float[np.ndarray, "L W 3"], residue: int, residue_kinds: Int[np.ndarray, "L"], nearby: NearbyAtoms
) -> None:
    """Place the extra atoms, and turn chi 1 with them, where they overlap least, in place."""
    kind = int(residue_kinds[residue])
    side_slots = [slot for slot in atom_slots(kind).values() if CB_SLOT < slot < N_SLOTS]
    slots = extra_slots(kind)
    turned = _turn_chi(atoms[residue].astype(np.float64), side_slots)
    placed = place_extra_atoms(kind, turned)
    is_own = (nearby.residues == residue) & np.isin(nearby.slots, side_slots)
    # The overlap between a phosphate and its own side chain does not depend on chi 1.
    internal = _overlap(placed[0], slots, residue, residue_kinds, nearby.select(is_own))
    others = nearby.select(~is_own)
    cost = _chi_turn_energy()[:, None]
    cost = cost + internal + rotation_energy(kind)
    for index, candidates in enumerate(placed):
        side_chain = np.broadcast_to(turned[index, side_slots], (len(candidates), len(side_slots), 3))
        both = np.concatenate([side_chain, candidates], axis=1)
        cost[index] += _overlap(both, [*side_slots, *slots], residue, residue_kinds, others)
    best_turn, best_rotation = np.unravel_index(int(np.argmin(cost)), cost.shape)
    atoms[residue, side_slots] = turned[best_turn, side_slots]
    atoms[residue, slots] = placed[best_turn, best_rotation]


def _turn_chi(atoms: Float[np.ndarray, "W 3"], side_slots: list[int]) -> Float[np.ndarray, "C W 3"]:
    """Atoms of a residue after each turn of chi 1."""
    turned = np.repeat(atoms[None], len(_CHI_TURNS), axis=0)
    axis = unit(atoms[CB_SLOT] - atoms[CA_SLOT])
    arm = atoms[side_slots] - atoms[CB_SLOT]
    along = (arm @ axis)[:, None] * axis
    cos, sin = np.cos(_CHI_TURNS)[:, None, None], np.sin(_CHI_TURNS)[:, None, None]
    turned[:, side_slots] = atoms[CB_SLOT] + along + cos * (arm - along) + sin * np.cross(axis, arm)
    return turned


def _chi_turn_energy() -> Float[np.ndarray, "C"]:
    """Energy (Å²) of each turn of chi 1, which starts at a rotamer."""
    energies = [
        _ECLIPSED_ENERGY * (1 - np.cos(3 * turn)) / 2 + _TURN_ENERGY * (1 - np.cos(turn)) / 2
        for turn in _CHI_TURNS
    ]
    return np.array(energies)


def _overlap(
    candidates: Float[np.ndarray, "T E 3"],
    slots: list[int],
    residue: int,
    residue_kinds: Int[np.ndarray, "L"],
    nearby: NearbyAtoms,
) -> Float[np.ndarray, "T"]:
    """Sum of squared overlaps (Å²) of each candidate for the atoms in ``slots`` with nearby atoms."""
    kind = int(residue_kinds[residue])
    elements, steps = all_element_index(), all_bond_steps()
    nearby_elements = elements[residue_kinds[nearby.residues], nearby.slots]
    distances = _contact_distances()[elements[kind, slots][:, None], nearby_elements]
    is_bonded = (nearby.residues == residue) & (steps[kind, slots][:, nearby.slots] <= _MAX_EXCLUDED)
    distances = np.where(is_bonded, 0.0, distances)
    step = candidates[:, :, None] - nearby.points
    distance = np.sqrt((step * step).sum(-1))
    return np.asarray((np.maximum(distances - distance, 0.0) ** 2).sum((1, 2)))


@cache
def _contact_distances() -> Float[np.ndarray, "5 5"]:
    """Distance (Å) below which two elements overlap."""
    radius = np.array([VDW_RADIUS[element] for element in ALL_ELEMENTS])
    is_polar = np.array([element in "NO" for element in ALL_ELEMENTS])
    distances: np.ndarray = radius[:, None] + radius - _FREE_OVERLAP
    distances[np.ix_(is_polar, is_polar)] = _POLAR_DISTANCE
    return distances
