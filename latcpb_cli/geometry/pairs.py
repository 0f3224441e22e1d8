"""Pairs of points closer than a cutoff, with or without a periodic box."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

__all__ = ["close_pairs", "close_pairs_between", "image_shift"]

Array = np.ndarray
_FASTEST_TREE = {"leafsize": 32, "balanced_tree": False, "compact_nodes": False}
"""Of the atoms of proteins, which fill space evenly: built in half the time, and searched as fast."""


def close_pairs(
    points: Float[Array, "N 3"], cutoff: float, cell: Float[Array, "3 3"] | None = None
) -> tuple[Int[Array, "P"], Int[Array, "P"], Float[Array, "P"]]:
    """Find all pairs of points within a cutoff.

    Parameters
    ----------
    points : numpy.ndarray, shape (N, 3)
        In Å, finite.
    cutoff : float
        In Å, shorter than half the thickness of the box.
    cell : numpy.ndarray, shape (3, 3), optional
        Vectors of a periodic box as rows (Å), of any shape; distances are then
        between nearest images. Zeros stand for no box.

    Returns
    -------
    first, second : numpy.ndarray of int64, shape (P,)
        Indices, ``first < second``.
    distance : numpy.ndarray of float64, shape (P,)
        In Å.
    """
    points = np.asarray(points, dtype=np.float64)
    n_points = len(points)
    origin = np.arange(n_points)
    if cell is not None and np.any(cell):
        points, origin = _with_images(points, cell, cutoff)
    pairs = cKDTree(points, **_FASTEST_TREE).query_pairs(cutoff, output_type="ndarray")
    first, second = np.ascontiguousarray(pairs.T)
    if len(points) > n_points:
        first, second = _drop_images(first, second, origin, n_points)
    # Column by column, which is three times as fast as rows of three.
    x, y, z = (column.take(first) - column.take(second) for column in np.ascontiguousarray(points.T))
    return origin[first], origin[second], np.sqrt(x * x + y * y + z * z)


def close_pairs_between(
    points: Float[Array, "N 3"],
    others: Float[Array, "M 3"],
    cutoff: float,
    cell: Float[Array, "3 3"] | None = None,
) -> tuple[Int[Array, "P"], Int[Array, "P"], Float[Array, "P 3"]]:
    """Find all pairs of a point and another point within a cutoff.

    Parameters
    ----------
    points, others : numpy.ndarray, shape (N, 3) and (M, 3)
        In Å, finite.
    cutoff, cell
        As for `close_pairs`.

    Returns
    -------
    point, other : numpy.ndarray of int64, shape (P,)
        Indices.
    shift : numpy.ndarray of float64, shape (P, 3)
        Translation (Å) of the other point to its image that is nearest to the point.
    """
    points_, others_ = np.asarray(points, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if cell is None or not np.any(cell):
        point, other = _search(points_, others_, cutoff)
        return point, other, np.zeros((len(point), 3))
    images, origin = _with_images(others_, cell, cutoff)
    fraction = points_ @ np.linalg.inv(cell)
    point, image = _search((fraction - np.floor(fraction)) @ cell, images, cutoff)
    other = origin[image]
    return point, other, image_shift(others[other] - points[point], cell)


def _search(
    points: Float[Array, "N 3"], others: Float[Array, "M 3"], cutoff: float
) -> tuple[Int[Array, "P"], Int[Array, "P"]]:
    one, other = (cKDTree(each, **_FASTEST_TREE) for each in (points, others))
    neighbors = one.query_ball_tree(other, cutoff)
    point = np.repeat(np.arange(len(points)), [len(row) for row in neighbors])
    return point, np.array([index for row in neighbors for index in row], dtype=np.int64)


def image_shift(step: Float[Array, "*n 3"], cell: Float[Array, "3 3"]) -> Float[Array, "*n 3"]:
    """Return the translations (Å) that turn steps between points into steps between nearest images.

    The result is exact for images nearer than half the thickness of the box.
    """
    if not np.any(cell):
        return np.zeros(step.shape)
    return np.asarray(-np.round(step @ np.linalg.inv(cell)) @ cell)


def _with_images(
    points: Float[Array, "N 3"], cell: Float[Array, "3 3"], margin: float
) -> tuple[Float[Array, "I 3"], Int[Array, "I"]]:
    """Wrap the points into the box and add the images that lie within the margin around it.

    The second array holds the index of the point that each point or image belongs to.
    """
    inverse = np.linalg.inv(cell)
    fraction = points @ inverse
    fraction -= np.floor(fraction)
    origin = np.arange(len(points))
    # Axis after axis, so that images of images fill the corners.
    for axis, rim in enumerate(margin * np.linalg.norm(inverse, axis=0)):
        coordinate = fraction[:, axis]
        low, high = np.flatnonzero(coordinate < rim), np.flatnonzero(coordinate > 1 - rim)
        images = fraction[np.r_[low, high]]
        images[:, axis] += np.repeat([1.0, -1.0], [len(low), len(high)])
        fraction, origin = np.concatenate([fraction, images]), np.r_[origin, origin[low], origin[high]]
    return fraction @ cell, origin


def _drop_images(
    first: Int[Array, "Q"], second: Int[Array, "Q"], origin: Int[Array, "I"], n_points: int
) -> tuple[Int[Array, "P"], Int[Array, "P"]]:
    """Keep pairs of two points, and one of the two copies of a pair across the border of the box.

    The points come before the images, so the lower index of a copy is its point.
    """
    low, high = np.minimum(first, second), np.maximum(first, second)
    across = (low < n_points) & (high >= n_points)
    kept = (high < n_points) | (across & (low < origin[high]))
    return low[kept], high[kept]
