"""What stands around a residue, across periodic borders too."""

from __future__ import annotations

import numpy as np

from latcpb_cli.geometry.pairs import image_shift

__all__ = ["atoms_around"]


def atoms_around(
    atoms: np.ndarray, residue: int, present: np.ndarray, cell: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Atoms of the residues whose Cα is within ``radius`` (Å) of a residue's, as their nearest images.

    Parameters
    ----------
    atoms : numpy.ndarray, shape (L, W, 3)
    residue : int
        Its own atoms are in the list.
    present : numpy.ndarray of bool, shape (L, W)
    cell : numpy.ndarray, shape (3, 3)
        Vectors of the periodic box as rows, Å; zeros for no box.

    Returns
    -------
    points : numpy.ndarray of float64, shape (N, 3)
    residues, slots : numpy.ndarray of int64, shape (N,)
    """
    steps = atoms[:, 1].astype(np.float64) - atoms[residue, 1]
    shift = image_shift(steps, cell)
    near = np.flatnonzero(((steps + shift) ** 2).sum(-1) < radius**2)
    rows, slots = np.nonzero(present[near])
    rows = near[rows]
    return atoms[rows, slots].astype(np.float64) + shift[rows], rows, slots
