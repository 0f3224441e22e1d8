"""Distances, directions, angles and torsions of numpy arrays of points."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["angle", "angle_difference", "distance", "signed_volume", "torsion", "unit"]

Array = np.ndarray


def distance(a: Float[Array, "*#n 3"], b: Float[Array, "*#n 3"]) -> Float[Array, "..."]:
    """Return the distances (Å) between points."""
    step = a - b
    return np.asarray(np.sqrt(np.einsum("...k,...k->...", step, step)))


def unit(vectors: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    """Scale vectors to length one; zero vectors stay zero."""
    length = np.sqrt((vectors * vectors).sum(-1, keepdims=True))
    return np.asarray(vectors / np.where(length > 0.0, length, 1.0))


def angle(
    a: Float[Array, "*#n 3"], b: Float[Array, "*#n 3"], c: Float[Array, "*#n 3"]
) -> Float[Array, "..."]:
    """Return the angles a-b-c in radians."""
    u, v = a - b, c - b
    sine = np.linalg.norm(np.cross(u, v), axis=-1)
    return np.asarray(np.arctan2(sine, np.einsum("...k,...k->...", u, v)))


def torsion(
    a: Float[Array, "*#n 3"], b: Float[Array, "*#n 3"], c: Float[Array, "*#n 3"], d: Float[Array, "*#n 3"]
) -> Float[Array, "..."]:
    """Return the torsions a-b-c-d in radians, in (-pi, pi]; trans is pi."""
    back, axis, forward = a - b, c - b, d - c
    first, second = np.cross(axis, back), np.cross(axis, forward)
    y = np.einsum("...k,...k->...", np.cross(first, second), axis)
    x = np.einsum("...k,...k->...", first, second) * np.linalg.norm(axis, axis=-1)
    return np.asarray(np.arctan2(y, x))


def signed_volume(
    apex: Float[Array, "*#n 3"], a: Float[Array, "*#n 3"], b: Float[Array, "*#n 3"], c: Float[Array, "*#n 3"]
) -> Float[Array, "..."]:
    """Return the triple product (Å³) of the vectors from an apex; its sign is the handedness."""
    return np.asarray(np.einsum("...k,...k->...", np.cross(a - apex, b - apex), c - apex))


def angle_difference(
    first: Float[Array, "..."], second: Float[Array, "..."], period: Float[Array, "..."] | float = 2 * np.pi
) -> Float[Array, "..."]:
    """Return the absolute difference (radians) of angles that repeat after a period."""
    gap = np.abs(first - second) % period
    return np.asarray(np.minimum(gap, period - gap))
