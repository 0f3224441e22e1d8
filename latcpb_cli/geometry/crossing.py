"""Intersections of segments with triangles."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

__all__ = ["crossing_signs"]

_MIN_DETERMINANT = 1e-9  # below this a segment is parallel to the plane of its triangle

Array = np.ndarray


def crossing_signs(
    start: Float[Array, "*#n 3"],
    step: Float[Array, "*#n 3"],
    u: Float[Array, "*#n 3"],
    v: Float[Array, "*#n 3"],
) -> Int[Array, "..."]:
    """Return the side from which each segment crosses its triangle.

    The test is that of Möller and Trumbore (1997, doi:10.1080/10867651.1997.10487468).

    Parameters
    ----------
    start, step : numpy.ndarray, shape (..., 3)
        Start of a segment relative to the first corner of its triangle, and the vector to its end.
    u, v : numpy.ndarray, shape (..., 3)
        The second and third corner relative to the first.

    Returns
    -------
    numpy.ndarray of int64, shape (...)
        1 along u × v, -1 against it, 0 where the segment misses the triangle or lies in its plane.
    """
    normal = np.cross(step, v)
    determinant = np.einsum("...x,...x->...", u, normal)
    parallel = np.abs(determinant) < _MIN_DETERMINANT
    divisor = np.where(parallel, 1.0, determinant)
    side = np.cross(start, u)
    first = np.einsum("...x,...x->...", start, normal) / divisor
    second = np.einsum("...x,...x->...", np.broadcast_to(step, side.shape), side) / divisor
    fraction = np.einsum("...x,...x->...", v, side) / divisor
    inside = (first >= 0) & (second >= 0) & (first + second <= 1) & (fraction >= 0) & (fraction <= 1)
    return np.where(inside & ~parallel, -np.sign(determinant), 0.0).astype(np.int64)
