"""Bonds that run through a ring of another residue."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residue_tables import join_tables
from latcpb_cli.chem.residues import NAMES, RINGS, slot_of
from latcpb_cli.geometry.angles import distance
from latcpb_cli.geometry.crossing import crossing_signs
from latcpb_cli.geometry.pairs import close_pairs_between
from latcpb_cli.metrics.terms import GeometryTerms

__all__ = ["Rings", "find_pierced_rings", "find_rings"]

_MAX_RING_RADIUS = 1.5  # Å: no ring atom is farther from the centre of its ring
_MAX_BOND_LENGTH = 4.0  # Å: longer, broken bonds are searched as if they had this length

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Rings:
    """R rings of five or six atoms.

    Attributes
    ----------
    residue : numpy.ndarray of int64, shape (R,)
        Residue of each ring.
    slots : numpy.ndarray of int64, shape (R, 6)
        Slots of its atoms in order around the ring; a five-membered ring has its last atom twice.
    """

    residue: Int[Array, "R"]
    slots: Int[Array, "R 6"]

    def __len__(self) -> int:
        return len(self.residue)


def find_rings(types: Int[Array, "L"], present: Bool[Array, "L W"]) -> Rings:
    """List the rings whose atoms are all present."""
    residue, slots = join_tables(_ring_slots(), types)
    kept = present[residue[:, None], slots].all(axis=1)
    return Rings(residue[kept], slots[kept])


@cache
def _ring_slots() -> list[Int[Array, "_ 6"]]:
    """Slots of the atoms of the rings of each residue type, as in `Rings`."""
    tables = []
    for name in NAMES:
        rings = [[slot_of(name, atom) for atom in ring] for ring in RINGS.get(name, ())]
        padded = [slots + slots[-1:] * (6 - len(slots)) for slots in rings]
        tables.append(np.array(padded, dtype=np.int64).reshape(-1, 6))
    return tables


def find_pierced_rings(
    rings: Rings,
    bonds: GeometryTerms,
    atoms: Float[Array, "F L W 3"],
    linked: Bool[Array, "F L"],
    cells: Float[Array, "F 3 3"] | None = None,
) -> Int[Array, "P 4"]:
    """Find the bonds that cross the area of a ring of another residue.

    The area is the fan of triangles around the centre of the ring, so puckered
    rings are handled too.

    Parameters
    ----------
    rings : Rings
        From `find_rings`.
    bonds : GeometryTerms
        From `latcpb_cli.metrics.terms.bond_terms`.
    atoms : numpy.ndarray, shape (F, L, W, 3)
        In Å.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.
    cells : numpy.ndarray, shape (F, 3, 3), optional
        Vectors of the periodic box of each frame as rows, Å; periodic images of
        bonds count. Zeros stand for no box.

    Returns
    -------
    numpy.ndarray of int64, shape (P, 4)
        Frame, index of the ring, its residue, first residue of the bond; frame by frame.
    """
    if len(rings) == 0 or len(bonds.link) == 0:
        return np.zeros((0, 4), dtype=np.int64)
    ends = bonds.points(atoms)
    corners = atoms[:, rings.residue[:, None], rings.slots].astype(np.float64)
    centres = _centres(corners, rings.slots)
    frame, ring, bond, shift = _close_bonds(centres, ends, bonds.mask(linked), cells)
    foreign = (bonds.residues[bond] != rings.residue[ring, None]).all(axis=1)
    frame, ring, bond = frame[foreign], ring[foreign], bond[foreign]
    segments = ends[frame, bond] + shift[foreign, None]
    crossed = _crosses(segments, corners[frame, ring], centres[frame, ring])
    frame, ring, bond = frame[crossed], ring[crossed], bond[crossed]
    return np.stack([frame, ring, rings.residue[ring], bonds.residues[bond, 0]], axis=1)


def _close_bonds(
    centres: Float[Array, "F R 3"],
    ends: Float[Array, "F T 2 3"],
    exists: Bool[Array, "F T"],
    cells: Float[Array, "F 3 3"] | None,
) -> tuple[Int[Array, "Q"], Int[Array, "Q"], Int[Array, "Q"], Float[Array, "Q 3"]]:
    """Frame, ring, bond, and translation (Å) of the bond, wherever a bond may reach the area of a ring."""
    starts, stops = ends[:, :, 0], ends[:, :, 1]
    half_lengths, all_middles = distance(starts, stops) / 2, (starts + stops) / 2
    found = []
    for frame, (middles, kept) in enumerate(zip(all_middles, exists, strict=True)):
        rows = np.flatnonzero(kept)
        half_length = half_lengths[frame, rows].max(initial=0.0)
        reach = _MAX_RING_RADIUS + min(half_length, _MAX_BOND_LENGTH / 2)
        cell = None if cells is None else cells[frame]
        ring, bond, shift = close_pairs_between(centres[frame], middles[rows], float(reach), cell)
        found.append((np.full(len(ring), frame), ring, rows[bond], shift))
    frames, ring, bond, shift = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return frames, ring, bond, shift


def _centres(corners: Float[Array, "F R 6 3"], slots: Int[Array, "R 6"]) -> Float[Array, "F R 3"]:
    """Mean positions of the atoms of each ring, each atom once."""
    weight = np.ones(slots.shape)
    weight[:, 5] = slots[:, 5] != slots[:, 4]
    return np.asarray((corners * weight[..., None]).sum(axis=2) / weight.sum(axis=1, keepdims=True))


def _crosses(
    ends: Float[Array, "P 2 3"], corners: Float[Array, "P 6 3"], centres: Float[Array, "P 3"]
) -> Bool[Array, "P"]:
    """Whether each segment crosses one of the triangles (centre, corner, next corner)."""
    start = ends[:, None, 0] - centres[:, None]
    step = (ends[:, 1] - ends[:, 0])[:, None]
    spokes = corners - centres[:, None]
    signs = crossing_signs(start, step, spokes, np.roll(spokes, -1, axis=1))
    return np.asarray(signs.any(axis=1))
