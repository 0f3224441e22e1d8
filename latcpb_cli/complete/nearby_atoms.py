"""The atoms around a residue, periodic images included."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.geometry.pairs import image_shift

__all__ = ["NearbyAtoms", "find_nearby_atoms"]


class NearbyAtoms(NamedTuple):
    """N atoms around a residue.

    Attributes
    ----------
    points : numpy.ndarray of float64, shape (N, 3)
        Å, as nearest images to the residue.
    residues, slots : numpy.ndarray of int64, shape (N,)
    """

    points: Float[np.ndarray, "N 3"]
    residues: Int[np.ndarray, "N"]
    slots: Int[np.ndarray, "N"]

    def select(self, mask: Bool[np.ndarray, "N"]) -> NearbyAtoms:
        """Return the atoms where a mask is true."""
        return NearbyAtoms(self.points[mask], self.residues[mask], self.slots[mask])


def find_nearby_atoms(
    atoms: Float[np.ndarray, "L W 3"],
    residue: int,
    present: Bool[np.ndarray, "L W"],
    cell: Float[np.ndarray, "3 3"],
    radius: float,
) -> NearbyAtoms:
    """Find the atoms of all residues whose Cα is near that of a residue.

    Parameters
    ----------
    atoms : numpy.ndarray, shape (L, W, 3)
        Å.
    residue : int
        Its own atoms are among those found.
    present : numpy.ndarray of bool, shape (L, W)
        Which slots hold an atom.
    cell : numpy.ndarray, shape (3, 3)
        Vectors of the periodic box as rows, Å; zeros for no box.
    radius : float
        Maximum Cα-Cα distance, Å.
    """
    steps = atoms[:, CA_SLOT].astype(np.float64) - atoms[residue, CA_SLOT]
    shift = image_shift(steps, cell)
    near = np.flatnonzero(((steps + shift) ** 2).sum(-1) < radius**2)
    rows, slots = np.nonzero(present[near])
    residues = near[rows]
    return NearbyAtoms(atoms[residues, slots].astype(np.float64) + shift[residues], residues, slots)
