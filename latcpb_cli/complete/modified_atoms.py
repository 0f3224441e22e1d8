"""The atoms that modified residues have more than their parents, put where there is room."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from latcpb_cli.chem.modified import ESTER, FIXED, MODIFIED, PHOSPHATE, slots_of
from latcpb_cli.chem.modified_bonds import ALL_ELEMENTS, all_bond_steps, all_element_index
from latcpb_cli.chem.residues import N_SLOTS, NAMES, VDW_RADIUS
from latcpb_cli.complete.nearby_atoms import atoms_around
from latcpb_cli.structure import AtomTopology, CGTrace

__all__ = ["attach_modified_atoms"]

Around = tuple[np.ndarray, np.ndarray, np.ndarray]
_TURNS = np.radians(np.arange(0.0, 360.0, 15.0))
_WOBBLE = np.radians([0.0, -20.0, 20.0])
"""Turns of a phosphate about the ester bond that are tried, and of its oxygens about staggered."""
_AROUND = 20.0  # Å between two Cα whose residues can touch: twice the longest side chain with a phosphate
_BERTH = 0.2  # Å of overlap that costs nothing, as in relief
_POLAR = 2.7  # Å between N or O and an oxygen that costs nothing
_EXCLUDED = 3  # bonds
_PREFERENCE = 0.01  # Å²: between places with room, an open ester torsion and staggered oxygens decide
_CROWDED = 0.25  # Å²: more overlap than this, and the side chain of Ser and Thr is turned as well
_SWINGS = np.radians([0.0, -15.0, 15.0, -30.0, 30.0, *range(90, 271, 15)])
_ECLIPSED, _TURNED = 0.15, 0.05  # Å²: what a swing costs at most between rotamers, and for leaving its own
_CA, _CB = 1, 4


def attach_modified_atoms(trace: CGTrace, atoms: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Widen atoms by the slots of modified residues and fill these.

    Bond lengths and angles are ideal. Of the free rotations all
    combinations of 15° are tried, residue by residue along the trace; the one
    with the least overlap is taken. Where none has room, chi1 of a phosphorylated
    Ser or Thr is turned too; no other atom of the parents moves. A structure
    does not depend on the others.

    Parameters
    ----------
    trace : CGTrace
    atoms : numpy.ndarray of float32, shape (F, L, 15, 3)
        In Å.
    cells : numpy.ndarray, shape (F, 3, 3)
        Vectors of the periodic box as rows, Å: nearest images count; zeros for no box.

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, W, 3)
        W is ``trace.n_slots``; the array itself where nothing is modified.
    """
    if trace.n_slots == N_SLOTS:
        return atoms
    wide = np.zeros((*atoms.shape[:2], trace.n_slots, 3), dtype=np.float32)
    wide[:, :, :N_SLOTS] = atoms
    kinds, present = trace.kinds, AtomTopology.heavy_atoms(trace).present
    present[:, N_SLOTS:] = False
    for residue in np.flatnonzero(kinds >= len(NAMES)).tolist():
        kind = int(kinds[residue])
        own = sorted(set(slots_of(kind).values()) - set(range(N_SLOTS)))
        tried = _places(kind, wide[:, residue].astype(np.float64))
        for frame, choices in enumerate(tried):
            best = 0
            if len(choices) > 1:
                around = atoms_around(wide[frame], residue, present, cells[frame], _AROUND)
                overlap = _overlap(choices, own, kinds, residue, *around)
                best = int(np.argmin(overlap + _preference(kind)))
                if overlap[best] > _CROWDED and MODIFIED[kind - len(NAMES)].parent in ("SER", "THR"):
                    _swing(wide[frame], own, kinds, residue, around)
                    continue
            wide[frame, residue, own] = choices[best]
        present[residue, own] = True
    return wide


def _places(kind: int, atoms: np.ndarray) -> np.ndarray:
    """Extra atoms (F, T, E, 3) of a residue (F, W, 3) for each combination of turns."""
    modified, slots = MODIFIED[kind - len(NAMES)], slots_of(kind)
    turns = _turns(kind)
    found: dict[str, np.ndarray] = {}
    for atom in modified.extras:
        above = []
        for name in atom.parents:
            known = found.get(name)
            own = atoms[:, None, slots[modified.renamed.get(name, name)]] if known is None else known
            above.append(own)
        torsion = np.full(len(turns), np.radians(atom.torsion))
        if atom.turn != FIXED:
            torsion = torsion + turns[:, atom.turn]
        a, b, c = above
        found[atom.name] = _place(a, b, c, atom.length, np.radians(atom.angle), torsion)
    return np.stack([found[atom.name] for atom in modified.extras], axis=2)


def _place(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, length: float, angle: float, torsion: np.ndarray
) -> np.ndarray:
    """Put x so that c-x, b-c-x and a-b-c-x have the given values; (F, 1 or T, 3) become (F, T, 3)."""
    axis = _unit(c - b)
    across = a - b
    across = _unit(across - (across * axis).sum(-1, keepdims=True) * axis)
    side = np.cross(axis, across)
    cos, sin = np.cos(torsion)[:, None], np.sin(torsion)[:, None]
    return np.asarray(c + length * (np.sin(angle) * (cos * across + sin * side) - np.cos(angle) * axis))


def _unit(vector: np.ndarray) -> np.ndarray:
    norm = np.sqrt((vector * vector).sum(-1, keepdims=True))
    return np.asarray(vector / np.maximum(norm, 1e-9))


@cache
def _turns(kind: int) -> np.ndarray:
    """Combinations of turns that are tried (T, 2): about the ester bond, about the O-P bond."""
    if not MODIFIED[kind - len(NAMES)].turns:
        return np.zeros((1, 2))
    turns = np.zeros((len(_TURNS) * len(_WOBBLE), 2))
    turns[:, [ESTER, PHOSPHATE]] = list(product(_TURNS, _WOBBLE))
    return turns


@cache
def _preference(kind: int) -> np.ndarray:
    """A little for every combination (T,), least where P is trans (on a ring: across it)."""
    ester, phosphate = _turns(kind).T
    aromatic = MODIFIED[kind - len(NAMES)].parent == "TYR"
    open_ = np.cos(2 * ester) if aromatic else np.cos(ester)
    return np.asarray(_PREFERENCE * (2.0 + open_ - np.cos(3 * phosphate)))


def _swing(atoms: np.ndarray, own: list[int], kinds: np.ndarray, residue: int, around: Around) -> None:
    """Turn chi1, and the phosphate with it, to where there is the most room (atoms (L, W, 3), in place)."""
    kind = int(kinds[residue])
    side = [slot for slot in slots_of(kind).values() if _CB < slot < N_SLOTS]
    here = atoms[residue].astype(np.float64)
    swung = np.repeat(here[None], len(_SWINGS), axis=0)
    axis = _unit(here[_CB] - here[_CA])
    arm = here[side] - here[_CB]
    along = (arm @ axis)[:, None] * axis
    cos, sin = np.cos(_SWINGS)[:, None, None], np.sin(_SWINGS)[:, None, None]
    swung[:, side] = here[_CB] + along + cos * (arm - along) + sin * np.cross(axis, arm)
    placed = _places(kind, swung)
    # Between a phosphate and its own side chain the swing changes nothing.
    points, rows, slots = around
    ours = (rows == residue) & np.isin(slots, side)
    rigid = _overlap(placed[0], own, kinds, residue, points[ours], rows[ours], slots[ours])
    cost = np.array([_ECLIPSED * (1 - np.cos(3 * s)) / 2 + _TURNED * (1 - np.cos(s)) / 2 for s in _SWINGS])[
        :, None
    ]
    cost = cost + rigid + _preference(kind)
    for swing, choices in enumerate(placed):
        sides = np.broadcast_to(swung[swing, side], (len(choices), len(side), 3))
        both = np.concatenate([sides, choices], axis=1)
        cost[swing] += _overlap(both, [*side, *own], kinds, residue, points[~ours], rows[~ours], slots[~ours])
    best = np.unravel_index(int(np.argmin(cost)), cost.shape)
    atoms[residue, side] = swung[best[0], side]
    atoms[residue, own] = placed[best]


def _overlap(
    choices: np.ndarray,
    own: list[int],
    kinds: np.ndarray,
    residue: int,
    points: np.ndarray,
    rows: np.ndarray,
    slots: np.ndarray,
) -> np.ndarray:
    """Squared overlap (Å²) of each choice (T, E, 3) of the slots ``own`` with the atoms around."""
    kind = int(kinds[residue])
    element, steps = all_element_index(), all_bond_steps()
    reach = _reach()[element[kind, own][:, None], element[kinds[rows], slots]]
    bonded = (rows == residue) & (steps[kind, own][:, slots] <= _EXCLUDED)
    reach = np.where(bonded, 0.0, reach)
    step = choices[:, :, None] - points
    distance = np.sqrt((step * step).sum(-1))
    return np.asarray((np.maximum(reach - distance, 0.0) ** 2).sum((1, 2)))


@cache
def _reach() -> np.ndarray:
    """Distance (Å) below which elements overlap: (5, 5)."""
    radius = np.array([VDW_RADIUS[element] for element in ALL_ELEMENTS])
    polar = np.array([element in "NO" for element in ALL_ELEMENTS])
    reach = radius[:, None] + radius - _BERTH
    reach[np.ix_(polar, polar)] = _POLAR
    return reach
