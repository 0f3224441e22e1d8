"""Bonds that run through a ring."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.residues import NAMES, RINGS, slot_of
from latcpb_cli.geometry.crossing import crossing_signs
from latcpb_cli.geometry.pairs import close_pairs_between
from latcpb_cli.metrics.terms import Terms

__all__ = ["pierced_rings", "rings_of"]

RING_RADIUS = 1.5
"""No ring atom is farther (Å) from the centre of its ring than this."""
LONGEST_BOND = 4.0
"""Half of this (Å) is how far from its middle a bond is looked for, if it is that long."""

Array = np.ndarray


def rings_of(types: Array, present: Array) -> tuple[Array, Array]:
    """List the rings whose atoms are all there.

    Returns
    -------
    residue : numpy.ndarray of int64, shape (R,)
    slots : numpy.ndarray of int64, shape (R, 6)
        In order around the ring; the last atom of a five-membered one twice.
    """
    residue, slots = [], []
    for i, kind in enumerate(types):
        name = NAMES[int(kind)]
        for ring in RINGS.get(name, ()):
            members = [slot_of(name, atom) for atom in ring]
            if present[i, members].all():
                residue.append(i)
                slots.append(members + members[-1:] * (6 - len(members)))
    return np.array(residue, dtype=np.int64), np.array(slots, dtype=np.int64).reshape(-1, 6)


def pierced_rings(
    rings: tuple[Array, Array], bonds: Terms, atoms: Array, linked: Array, cell: Array | None = None
) -> Array:
    """Find the bonds that cross the area of a ring of another residue.

    The area is the fan of triangles from the middle of the ring, so that
    puckered rings count too.

    Parameters
    ----------
    rings : tuple of numpy.ndarray
        From `rings_of`.
    bonds : Terms
        From `latcpb_cli.metrics.terms.bond_terms`.
    atoms : numpy.ndarray, shape (L, 15, 3)
        One frame, in Å.
    linked : numpy.ndarray of bool, shape (L,)
    cell : numpy.ndarray, shape (3, 3), optional
        Vectors of the periodic box as rows, Å: nearest images count. Zeros are no box.

    Returns
    -------
    numpy.ndarray of int64, shape (P, 3)
        Number of the ring, its residue, first residue of the bond.
    """
    residue, slots = rings
    kept = bonds.exist(linked[None])[0]
    if len(residue) == 0 or not kept.any():
        return np.zeros((0, 3), dtype=np.int64)
    ends = bonds.points(atoms[None])[0][kept]
    owners = bonds.residues[kept]
    corners = atoms[residue[:, None], slots].astype(np.float64)
    centre = _centres(corners, slots)
    half = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).max() / 2
    reach = RING_RADIUS + min(half, LONGEST_BOND / 2)
    ring, bond, shift = close_pairs_between(centre, ends.mean(axis=1), reach, cell)
    foreign = (owners[bond] != residue[ring, None]).all(axis=1)
    ring, bond = ring[foreign], bond[foreign]
    hit = _crosses(ends[bond] + shift[foreign, None], corners[ring], centre[ring])
    return np.stack([ring[hit], residue[ring[hit]], owners[bond[hit], 0]], axis=1)


def _centres(corners: Array, slots: Array) -> Array:
    weight = np.ones(slots.shape)
    weight[:, 5] = slots[:, 5] != slots[:, 4]
    return (corners * weight[..., None]).sum(axis=1) / weight.sum(axis=1, keepdims=True)


def _crosses(ends: Array, corners: Array, centre: Array) -> Array:
    """Whether segments (P, 2, 3) cross one of the triangles (centre, corner, next corner)."""
    start = ends[:, None, 0] - centre[:, None]
    along = (ends[:, 1] - ends[:, 0])[:, None]
    spokes = corners - centre[:, None]
    sides = crossing_signs(start, along, spokes, np.roll(spokes, -1, axis=1))
    return np.asarray(sides.any(axis=1))
