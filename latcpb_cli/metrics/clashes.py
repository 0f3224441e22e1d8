"""Clashes between heavy atoms, frame by frame.

Two counts. ``contact12``: residues with an atom nearer than 1.2 Å to an atom
of another residue that it is not bonded to. ``overlap04``: pairs of atoms
whose van der Waals spheres overlap by 0.4 Å or more; pairs joined by one, two
or three bonds are left out (peptide links, proline rings and disulfides
included), two atoms out of N and O may come as near as 2.5 Å (hydrogen
bonds), two sulfurs as near as 1.9 Å (disulfides). Rings through which a bond
runs are told beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from latcpb_cli.chem.bonds import FAR
from latcpb_cli.chem.modified import parent_types
from latcpb_cli.chem.modified_bonds import ALL_ELEMENTS, all_bond_steps, all_element_index
from latcpb_cli.chem.residues import ATOM_SLOTS, NAMES, VDW_RADIUS
from latcpb_cli.errors import InputError
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.geometry.pairs import close_pairs
from latcpb_cli.metrics.piercing import pierced_rings, rings_of
from latcpb_cli.metrics.terms import Terms, bond_terms
from latcpb_cli.structure import FrameClashes

__all__ = ["CONTACT", "DISULFIDE", "OVERLAP", "FrameClashes", "frame_clashes"]

CONTACT = 1.2
"""Distance (Å) of ``contact12``."""
OVERLAP = 0.4
"""Overlap (Å) of ``overlap04``."""
POLAR_LIMIT = 2.5
SULFUR_LIMIT = 1.9
DISULFIDE = 2.5
"""Two SG nearer than this (Å), but not than 1.9, are bonded."""
EXCLUDED_STEPS = 3

_C, _N, _SG = ATOM_SLOTS[0].index("C"), ATOM_SLOTS[0].index("N"), ATOM_SLOTS[NAMES.index("CYS")].index("SG")
_CYS = NAMES.index("CYS")

Array = np.ndarray


def frame_clashes(
    types: Array, atoms: Array, present: Array, linked: Array, boxes: Array | None = None
) -> list[FrameClashes]:
    """Count the clashes of some frames.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
        Residue indices; kinds (`CGTrace.residue_kinds`) where atoms of modified residues are there.
    atoms : numpy.ndarray of float32, shape (F, L, W, 3)
        In Å; W is 15, or more with modified residues.
    present : numpy.ndarray of bool, shape (L, W)
        Atoms that are there.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins residue i to i+1.
    boxes : numpy.ndarray, shape (F, 6), optional
        a, b, c (Å), alpha, beta, gamma (degrees): nearest images count. Any
        shape of box; rows of zeros are no box.

    Returns
    -------
    list of FrameClashes
        One for each frame.

    Raises
    ------
    InputError
        A coordinate is not a finite number.
    """
    system = _System.of(types, present)
    boxes = np.zeros((len(atoms), 6)) if boxes is None else boxes
    frames = enumerate(zip(atoms, linked, box_vectors(boxes), strict=True))
    return [_one_frame(system, *frame, where=f) for f, frame in frames]


@dataclass(frozen=True, eq=False)
class _System:
    """What does not change from frame to frame; arrays are per atom."""

    present: Array
    residue: Array
    slot: Array
    element: Array
    steps: Array
    is_cysteine_sg: Array
    n_residues: int
    types: Array
    rings: tuple[Array, Array]
    bonds: Terms

    @classmethod
    def of(cls, types: Array, present: Array) -> _System:
        residue, slot = np.nonzero(present)
        kind = types[residue]
        return cls(
            present=present,
            residue=residue,
            slot=slot,
            element=all_element_index()[kind, slot],
            steps=all_bond_steps()[kind, slot],
            is_cysteine_sg=(kind == _CYS) & (slot == _SG),
            n_residues=len(types),
            types=types,
            rings=rings_of(parent_types(types), present),
            bonds=bond_terms(parent_types(types), present),
        )


@cache
def _limits() -> tuple[Array, Array]:
    """Sum of radii, and distance below which a pair overlaps too much: (5, 5) each."""
    radius = np.array([VDW_RADIUS[e] for e in ALL_ELEMENTS])
    total = radius[:, None] + radius[None, :]
    limit = total - OVERLAP
    polar = np.array([e in "NO" for e in ALL_ELEMENTS])
    limit[np.ix_(polar, polar)] = POLAR_LIMIT
    sulfur = ALL_ELEMENTS.index("S")
    limit[sulfur, sulfur] = SULFUR_LIMIT
    return total, limit


def _one_frame(system: _System, atoms: Array, linked: Array, cell: Array, where: int) -> FrameClashes:
    points = atoms[system.present]
    if not np.isfinite(points).all():
        bad = system.residue[~np.isfinite(points).all(axis=1)][0]
        raise InputError(
            f"frame {where} of the chunk: residue {bad + 1} of {system.n_residues} has a coordinate "
            "that is not a number",
            "look at the input coordinates of this frame",
        )
    total, limit = _limits()
    first, second, distance = close_pairs(points, float(limit.max()), cell)
    steps = _steps_between(system, linked, first, second, distance)
    between = system.residue[first] != system.residue[second]
    contact = np.flatnonzero((distance < CONTACT) & between & (steps > 1))
    kinds = system.element[first], system.element[second]
    overlap = np.flatnonzero((distance <= limit[kinds]) & (steps > EXCLUDED_STEPS))
    excess = total[kinds][overlap] - distance[overlap]

    contact12 = np.zeros(system.n_residues, dtype=bool)
    contact12[system.residue[first[contact]]] = True
    contact12[system.residue[second[contact]]] = True
    ends = system.residue[first[overlap]], system.residue[second[overlap]]
    worst = int(excess.argmax()) if len(excess) else -1
    pierced = np.zeros(system.n_residues, dtype=bool)
    pierced[pierced_rings(system.rings, system.bonds, atoms, linked, cell)[:, 1]] = True
    return FrameClashes(
        n_atoms=len(points),
        contact12=contact12,
        overlap04=_count(ends, system.n_residues),
        n_overlaps=len(overlap),
        worst=float(excess[worst]) if worst >= 0 else 0.0,
        worst_pair=(int(ends[0][worst]), int(ends[1][worst])) if worst >= 0 else (-1, -1),
        pierced=pierced,
    )


def _count(ends: tuple[Array, Array], n_residues: int) -> Array:
    """Pairs of each residue; a pair within one residue counts once."""
    own = ends[0] == ends[1]
    counts = np.bincount(ends[0], minlength=n_residues)
    return counts + np.bincount(ends[1][~own], minlength=n_residues)


def _steps_between(system: _System, linked: Array, first: Array, second: Array, distance: Array) -> Array:
    """Bonds between the two atoms of each pair, ``FAR`` where it takes more than a few."""
    residue = system.residue
    steps = np.full(len(first), FAR, dtype=np.int8)
    gap = residue[second] - residue[first]
    own = np.flatnonzero(gap == 0)
    steps[own] = system.steps[first[own], system.slot[second[own]]]
    next_ = np.flatnonzero((gap == 1) & linked[residue[first]])
    steps[next_] = system.steps[first[next_], _C] + 1 + system.steps[second[next_], _N]
    _bridge_disulfides(system, steps, first, second, distance)
    return steps


def _bridge_disulfides(system: _System, steps: Array, first: Array, second: Array, distance: Array) -> None:
    """Lower ``steps`` of the pairs that a disulfide bond brings near to each other."""
    is_sg = system.is_cysteine_sg
    bond = is_sg[first] & is_sg[second] & (distance >= SULFUR_LIMIT) & (distance < DISULFIDE)
    if not bond.any():
        return
    residue = system.residue
    partner = np.full(system.n_residues, -1)
    partner[residue[first[bond]]] = residue[second[bond]]
    partner[residue[second[bond]]] = residue[first[bond]]
    bridged = np.flatnonzero(partner[residue[first]] == residue[second])
    through = system.steps[first[bridged], _SG] + 1 + system.steps[second[bridged], _SG]
    steps[bridged] = np.minimum(steps[bridged], through)
