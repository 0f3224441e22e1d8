"""How the chain runs around each residue, in numbers that no rotation changes and a mirror does."""

from __future__ import annotations

import numpy as np

__all__ = ["ca_descriptors"]

_REACH = (2, 3, 4)  # residues up and down the chain
_BOND = 3.8  # Å between Cα: makes lengths of volumes


def ca_descriptors(ca: np.ndarray, linked: np.ndarray) -> np.ndarray:
    """Describe the chain around each residue of each frame.

    Parameters
    ----------
    ca : numpy.ndarray, shape (F, L, 3)
        In Å.
    linked : numpy.ndarray of bool, shape (F, L)
        Where a peptide joins residue i to i+1.

    Returns
    -------
    numpy.ndarray of float64, shape (F, L, 8)
        Distances to the second, third and fourth residue up and down the chain, and the volumes
        that three successive steps span, begun two and one residues before, over 3.8² Å²: all in
        Å, and 0 where the chain ends before.
    """
    ca = ca.astype(np.float64)
    stretch = np.cumsum(~linked, axis=1) - ~linked
    columns = []
    for reach in _REACH:
        apart = np.linalg.norm(ca[:, reach:] - ca[:, :-reach], axis=-1)
        apart = np.where(stretch[:, reach:] == stretch[:, :-reach], apart, 0.0)
        columns += [_at(apart, linked.shape, first) for first in (0, reach)]
    step = np.diff(ca, axis=1)
    volume = (np.cross(step[:, :-2], step[:, 1:-1]) * step[:, 2:]).sum(-1) / _BOND**2
    volume = np.where(stretch[:, 3:] == stretch[:, :-3], volume, 0.0)
    columns += [_at(volume, linked.shape, first) for first in (2, 1)]
    return np.stack(columns, axis=-1)


def _at(values: np.ndarray, shape: tuple[int, ...], first: int) -> np.ndarray:
    """Values (F, n) of the residues from ``first`` on; 0 for the others."""
    column = np.zeros(shape)
    column[:, first : first + values.shape[1]] = values
    return column
