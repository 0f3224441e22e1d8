"""Clashes between heavy atoms, frame by frame.

``contact12`` counts the residues with an atom nearer than 1.2 Å to an atom of
another residue that it is not bonded to. ``overlap04`` counts the pairs of atoms
whose van der Waals spheres overlap by 0.4 Å or more. It leaves out pairs joined
by one, two or three bonds (across peptides, proline rings and disulfides too),
and allows two atoms out of N and O to come as near as 2.5 Å (hydrogen bonds) and
two sulfurs as near as 1.9 Å (disulfides). Rings through which a bond of another
residue runs are found as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.modified import parent_types
from latcpb_cli.chem.modified_bonds import ALL_ELEMENTS, all_element_index
from latcpb_cli.chem.residues import VDW_RADIUS
from latcpb_cli.errors import InputError
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.geometry.pairs import close_pairs
from latcpb_cli.metrics.bonded_atoms import MIN_DISULFIDE, BondedAtoms
from latcpb_cli.metrics.piercing import Rings, find_pierced_rings, find_rings
from latcpb_cli.metrics.terms import GeometryTerms, bond_terms

__all__ = ["FrameClashes", "frame_clashes"]

_CONTACT_DISTANCE = 1.2
"""Å, of ``contact12``: the clash distance of DiAMoNDBack (Jones et al. 2023, arXiv:2307.12451)."""
_MIN_OVERLAP = 0.4
"""Å, of ``overlap04``: a serious clash (Word et al. 1999, doi:10.1006/jmbi.1998.2400)."""
_POLAR_DISTANCE = 2.5
"""Two atoms out of N and O at this distance (Å) or nearer overlap."""
_MAX_EXCLUDED_STEPS = 3
"""Pairs of atoms joined by this many bonds or fewer are left out of ``overlap04``."""

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class FrameClashes:
    """Clashes of one all-atom frame.

    Attributes
    ----------
    n_atoms : int
        Heavy atoms of the frame.
    contact12 : numpy.ndarray of bool, shape (L,)
        Residues with an atom nearer than 1.2 Å to another residue's, not bonded to it.
    overlap04 : numpy.ndarray of int64, shape (L,)
        Pairs of atoms with a van der Waals overlap of 0.4 Å or more, of each
        residue; a pair of two residues counts in both.
    n_overlaps : int
        Such pairs in the frame.
    worst_overlap : float
        Largest overlap (Å) among these pairs, 0 without any.
    worst_pair : tuple of int
        The two residues of that pair, (-1, -1) without any.
    pierced : numpy.ndarray of bool, shape (L,)
        Residues with a ring through which a bond of another residue runs.
    n_pierced_rings : int
        Such rings in the frame.
    pairs : numpy.ndarray of int64, shape (P, 4)
        Residue and slot of the one atom and of the other of each pair in ``overlap04``.
    overlaps : numpy.ndarray of float64, shape (P,)
        Overlap (Å) of each of these pairs.
    """

    n_atoms: int
    contact12: Bool[Array, "L"]
    overlap04: Int[Array, "L"]
    n_overlaps: int
    worst_overlap: float
    worst_pair: tuple[int, int]
    pierced: Bool[Array, "L"]
    n_pierced_rings: int = 0
    pairs: Int[Array, "P 4"] = field(default_factory=lambda: np.zeros((0, 4), dtype=np.int64))
    overlaps: Float[Array, "P"] = field(default_factory=lambda: np.zeros(0))

    @property
    def contact12_percent(self) -> float:
        """Percent of the residues in ``contact12``."""
        return 100.0 * float(self.contact12.mean()) if len(self.contact12) else 0.0

    @property
    def overlap04_per_1000(self) -> float:
        """Pairs in ``overlap04`` per 1,000 atoms."""
        return 1000.0 * self.n_overlaps / self.n_atoms if self.n_atoms else 0.0


def frame_clashes(
    residue_kinds: Int[Array, "L"],
    atoms: Float[Array, "F L W 3"],
    present: Bool[Array, "L W"],
    linked: Bool[Array, "F L"],
    boxes: Float[Array, "F 6"] | None = None,
    next_residue: Int[Array, "L"] | None = None,
) -> list[FrameClashes]:
    """Count the clashes of each frame.

    Parameters
    ----------
    residue_kinds : numpy.ndarray of int64, shape (L,)
        Residue kinds (`CGTrace.residue_kinds`), or residue types where no atoms
        of modified residues are present.
    atoms : numpy.ndarray of float32, shape (F, L, W, 3)
        In Å; W is 15, or more with modified residues.
    present : numpy.ndarray of bool, shape (L, W)
        Atoms that have a position.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.
    boxes : numpy.ndarray, shape (F, 6), optional
        a, b, c (Å), alpha, beta, gamma (degrees) of boxes of any shape; distances
        are then between nearest images. Rows of zeros stand for no box.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.

    Returns
    -------
    list of FrameClashes
        One for each frame.

    Raises
    ------
    InputError
        A coordinate is not a finite number.
    """
    system = _AtomTable.from_residues(residue_kinds, present, next_residue)
    boxes = np.zeros((len(atoms), 6)) if boxes is None else boxes
    cells = box_vectors(boxes)
    for index, frame in enumerate(atoms):
        _check_finite(system, frame, index)
    piercings = find_pierced_rings(system.rings, system.bonds, atoms, linked, cells)
    bounds = np.searchsorted(piercings[:, 0], np.arange(1, len(atoms)))
    frames = zip(atoms, linked, cells, np.split(piercings, bounds), strict=True)
    return [_clashes(system, *frame) for frame in frames]


@dataclass(frozen=True, eq=False)
class _AtomTable:
    """Properties of the N atoms of a system that are equal in all frames."""

    present: Bool[Array, "L W"]
    atoms: BondedAtoms
    element: Int[Array, "N"]
    rings: Rings
    bonds: GeometryTerms

    @classmethod
    def from_residues(
        cls,
        residue_kinds: Int[Array, "L"],
        present: Bool[Array, "L W"],
        next_residue: Int[Array, "L"] | None,
    ) -> _AtomTable:
        residue, slot = np.nonzero(present)
        return cls(
            present=present,
            atoms=BondedAtoms.from_slots(residue_kinds, residue, slot, next_residue),
            element=all_element_index()[residue_kinds[residue], slot],
            rings=find_rings(parent_types(residue_kinds), present),
            bonds=bond_terms(parent_types(residue_kinds), present, next_residue),
        )

    @property
    def n_residues(self) -> int:
        return len(self.present)


@cache
def _contact_limits() -> tuple[Float[Array, "5 5"], Float[Array, "5 5"]]:
    """Sum of the radii (Å) of two elements, and distance at or below which they overlap too much."""
    radius = np.array([VDW_RADIUS[element] for element in ALL_ELEMENTS])
    total = radius[:, None] + radius[None, :]
    limit = total - _MIN_OVERLAP
    polar = np.array([element in "NO" for element in ALL_ELEMENTS])
    limit[np.ix_(polar, polar)] = _POLAR_DISTANCE
    sulfur = ALL_ELEMENTS.index("S")
    limit[sulfur, sulfur] = MIN_DISULFIDE
    return total, limit


def _clashes(
    system: _AtomTable,
    atoms: Float[Array, "L W 3"],
    linked: Bool[Array, "L"],
    cell: Float[Array, "3 3"],
    piercings: Int[Array, "P 4"],
) -> FrameClashes:
    """Count the clashes of one frame, given its bonds through rings."""
    points = atoms[system.present]
    total, limit = _contact_limits()
    first, second, distance = close_pairs(points, float(limit.max()), cell)
    residue, slot = system.atoms.residue, system.atoms.slot
    steps = system.atoms.bonds_between(linked, first, second, distance)
    different = residue[first] != residue[second]
    contact = np.flatnonzero((distance < _CONTACT_DISTANCE) & different & (steps > 1))
    elements = system.element[first], system.element[second]
    overlap = np.flatnonzero((distance <= limit[elements]) & (steps > _MAX_EXCLUDED_STEPS))
    excess = total[elements][overlap] - distance[overlap]

    contact12 = np.zeros(system.n_residues, dtype=bool)
    contact12[residue[first[contact]]] = True
    contact12[residue[second[contact]]] = True
    one, other = first[overlap], second[overlap]
    ends = residue[one], residue[other]
    worst = int(excess.argmax()) if len(excess) else -1
    pierced = np.zeros(system.n_residues, dtype=bool)
    pierced[piercings[:, 2]] = True
    return FrameClashes(
        n_atoms=len(points),
        contact12=contact12,
        overlap04=_pairs_per_residue(ends, system.n_residues),
        n_overlaps=len(overlap),
        worst_overlap=float(excess[worst]) if worst >= 0 else 0.0,
        worst_pair=(int(ends[0][worst]), int(ends[1][worst])) if worst >= 0 else (-1, -1),
        pierced=pierced,
        n_pierced_rings=len(np.unique(piercings[:, 1])),
        pairs=np.stack([ends[0], slot[one], ends[1], slot[other]], axis=1),
        overlaps=excess,
    )


def _check_finite(system: _AtomTable, atoms: Float[Array, "L W 3"], frame_index: int) -> None:
    """Raise an `InputError` for the first atom with a coordinate that is not a finite number."""
    finite = np.isfinite(atoms[system.present]).all(axis=1)
    if not finite.all():
        residue = system.atoms.residue[~finite][0]
        raise InputError(
            f"frame {frame_index} of the chunk: residue {residue + 1} of {system.n_residues} has a "
            "coordinate that is not a number",
            "look at the input coordinates of this frame",
        )


def _pairs_per_residue(ends: tuple[Int[Array, "P"], Int[Array, "P"]], n_residues: int) -> Int[Array, "L"]:
    """Number of pairs of each residue; a pair within one residue counts once."""
    same = ends[0] == ends[1]
    counts = np.bincount(ends[0], minlength=n_residues)
    return np.asarray(counts + np.bincount(ends[1][~same], minlength=n_residues))
