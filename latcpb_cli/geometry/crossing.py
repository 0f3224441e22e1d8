"""Segments that run through triangles."""

from __future__ import annotations

import numpy as np

__all__ = ["crossing_signs"]

_FLAT = 1e-9

Array = np.ndarray


def crossing_signs(start: Array, along: Array, u: Array, v: Array) -> Array:
    """From which side segments cross triangles (Möller & Trumbore 1997, doi:10.1080/10867651.1997.10487468).

    Parameters
    ----------
    start, along : numpy.ndarray, shape (..., 3)
        Where a segment begins, seen from the first corner of its triangle, and what it adds to that.
    u, v : numpy.ndarray, shape (..., 3)
        The two other corners, seen from the first.

    Returns
    -------
    numpy.ndarray of int64, shape (...)
        1 along u × v, -1 against it, 0 past the triangle or in its plane.
    """
    normal = np.cross(along, v)
    scale = np.einsum("...x,...x->...", u, normal)
    flat = np.abs(scale) < _FLAT
    steep = np.where(flat, 1.0, scale)
    side = np.cross(start, u)
    first = np.einsum("...x,...x->...", start, normal) / steep
    second = np.einsum("...x,...x->...", np.broadcast_to(along, side.shape), side) / steep
    where = np.einsum("...x,...x->...", v, side) / steep
    inside = (first >= 0) & (second >= 0) & (first + second <= 1) & (where >= 0) & (where <= 1)
    return np.where(inside & ~flat, -np.sign(scale), 0.0).astype(np.int64)
