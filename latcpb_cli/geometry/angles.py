"""Distances, directions, angles and torsions of numpy arrays of points."""

from __future__ import annotations

import numpy as np

__all__ = ["angle", "distance", "torsion", "angle_difference", "unit", "signed_volume"]

Array = np.ndarray


def distance(a: Array, b: Array) -> Array:
    """Distance (Å) between points of shape (..., 3)."""
    step = a - b
    return np.sqrt(np.einsum("...k,...k->...", step, step))


def unit(vectors: Array) -> Array:
    """Scale vectors (..., 3) to length one; zero vectors stay zero."""
    length = np.sqrt((vectors * vectors).sum(-1, keepdims=True))
    return np.asarray(vectors / np.where(length > 0.0, length, 1.0))


def angle(a: Array, b: Array, c: Array) -> Array:
    """Angle a-b-c in radians; points of shape (..., 3)."""
    u, v = a - b, c - b
    return np.arctan2(np.linalg.norm(np.cross(u, v), axis=-1), np.einsum("...k,...k->...", u, v))


def torsion(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Torsion a-b-c-d in radians, in (-pi, pi], trans is pi; points of shape (..., 3)."""
    back, axis, ahead = a - b, c - b, d - c
    first, second = np.cross(axis, back), np.cross(axis, ahead)
    y = np.einsum("...k,...k->...", np.cross(first, second), axis)
    x = np.einsum("...k,...k->...", first, second) * np.linalg.norm(axis, axis=-1)
    return np.arctan2(y, x)


def signed_volume(apex: Array, a: Array, b: Array, c: Array) -> Array:
    """Signed signed_volume (Å3) of the three vectors from the apex; its sign is the handedness."""
    return np.einsum("...k,...k->...", np.cross(a - apex, b - apex), c - apex)


def angle_difference(first: Array, second: Array, period: Array | float = 2 * np.pi) -> Array:
    """Smallest turn between two angles (radians) of a period, never negative."""
    gap = np.abs(first - second) % period
    return np.minimum(gap, period - gap)
