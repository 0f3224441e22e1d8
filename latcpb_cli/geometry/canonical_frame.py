"""Axes that turn with a structure, so that how it lies in space cannot change a bit of the answer."""

from __future__ import annotations

import numpy as np

__all__ = ["canonical_frame"]

_FLAT = 1e-6  # of the longer mode: shorter than this, a structure is too straight to have axes


def canonical_frame(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle and axes of each frame, from its first two Rouse modes.

    The modes are sums of the beads weighted with half a wave and a whole wave
    along the list, so they turn with the structure and depend smoothly on it.
    A mirror image has the mirrored first two axes, and a third that makes them
    right-handed all the same: handedness stays visible.

    Parameters
    ----------
    positions : numpy.ndarray of float64, shape (F, L, 3)
        Beads in Å.

    Returns
    -------
    middle : numpy.ndarray of float64, shape (F, 1, 3)
        Mean position, Å.
    axes : numpy.ndarray of float64, shape (F, 3, 3)
        Rows are right-handed unit vectors: ``(positions - middle) @ axes^T`` are
        the structure's own coordinates. Those of space for structures that are
        straight, or shorter than three residues.
    """
    middle = positions.mean(axis=1, keepdims=True)
    length = positions.shape[1]
    phase = np.pi * (np.arange(length) + 0.5) / length
    away = positions - middle
    half, whole = ((away * np.cos(n * phase)[:, None]).sum(axis=1) for n in (1, 2))
    first, reach = _unit(half)
    second, wide = _unit(whole - (whole * first).sum(-1, keepdims=True) * first)
    axes = np.stack([first, second, np.cross(first, second)], axis=1)
    straight = (wide <= _FLAT * reach) | (reach == 0.0)
    return middle, np.where(straight[:, :, None], np.eye(3), axes)


def _unit(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions (F, 3) and lengths (F, 1) of vectors; zeros have no direction."""
    length = np.sqrt((vectors * vectors).sum(-1, keepdims=True))
    return vectors / np.where(length > 0.0, length, 1.0), length
