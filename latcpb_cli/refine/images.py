"""What stands around a residue, across periodic borders too (layer 4)."""

from __future__ import annotations

import numpy as np

from latcpb_cli.structure import box_vectors

__all__ = ["atoms_around", "image_shift"]


def image_shift(steps: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Vectors (Å) to subtract from steps (N, 3), so that each leads to the nearest image.

    Exact as long as the nearest image is nearer than half of the thinnest side of the box (6,).
    """
    if not np.all(box[:3] > 0):
        return np.zeros_like(steps)
    vectors = box_vectors(box[None])[0]
    return np.asarray(np.round(steps @ np.linalg.inv(vectors)) @ vectors)


def atoms_around(
    atoms: np.ndarray, residue: int, present: np.ndarray, box: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Atoms of the residues whose Cα is within ``radius`` (Å) of a residue's, as their nearest images.

    Parameters
    ----------
    atoms : numpy.ndarray, shape (L, W, 3)
    residue : int
        Its own atoms are in the list.
    present : numpy.ndarray of bool, shape (L, W)
    box : numpy.ndarray, shape (6,)

    Returns
    -------
    points : numpy.ndarray of float64, shape (N, 3)
    residues, slots : numpy.ndarray of int64, shape (N,)
    """
    steps = atoms[:, 1].astype(np.float64) - atoms[residue, 1]
    shift = image_shift(steps, box)
    near = np.flatnonzero(((steps - shift) ** 2).sum(-1) < radius**2)
    rows, slots = np.nonzero(present[near])
    rows = near[rows]
    return atoms[rows, slots].astype(np.float64) - shift[rows], rows, slots
