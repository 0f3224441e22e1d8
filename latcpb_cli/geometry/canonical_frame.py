"""Axes that turn with a structure, so that how it lies in space cannot change a bit of the answer."""

from __future__ import annotations

import numpy as np

from latcpb_cli.geometry.angles import unit

__all__ = ["canonical_frame"]

_MAX_FLATNESS = 1e-6
"""Length of the second mode over that of the first, up to which a structure is too straight to have axes."""


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
    first = unit(half)
    across = whole - (whole * first).sum(-1, keepdims=True) * first
    second = unit(across)
    axes = np.stack([first, second, np.cross(first, second)], axis=1)
    straight = (_length(across) <= _MAX_FLATNESS * _length(half)) | (_length(half) == 0.0)
    return middle, np.where(straight[:, :, None], np.eye(3), axes)


def _length(vectors: np.ndarray) -> np.ndarray:
    """Lengths (F, 1) of vectors (F, 3)."""
    return np.asarray(np.sqrt((vectors * vectors).sum(-1, keepdims=True)))
