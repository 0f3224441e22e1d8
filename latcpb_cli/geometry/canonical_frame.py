"""A frame that rotates with a structure, so that its orientation in space does not affect results."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from latcpb_cli.geometry.angles import unit

__all__ = ["canonical_frame"]

_MAX_FLATNESS = 1e-6
"""A structure is too straight to have axes where its second mode is no longer than this times the first."""


def canonical_frame(
    positions: Float[np.ndarray, "F L 3"],
) -> tuple[Float[np.ndarray, "F 1 3"], Float[np.ndarray, "F 3 3"]]:
    """Return the centre and axes of each frame, from its first two Rouse modes.

    The modes are sums of the beads weighted with half a cosine wave and a whole
    one along the sequence, so they rotate with the structure and depend smoothly
    on it. A mirror image has mirrored first and second axes and a right-handed
    third one, so its coordinates are mirrored too and handedness is kept.

    Parameters
    ----------
    positions : numpy.ndarray of float64, shape (F, L, 3)
        Beads in Å.

    Returns
    -------
    center : numpy.ndarray of float64, shape (F, 1, 3)
        Mean position, Å.
    axes : numpy.ndarray of float64, shape (F, 3, 3)
        Rows are right-handed unit vectors: ``(positions - center) @ axes^T`` are
        coordinates in the canonical frame. Structures that are straight or shorter
        than three residues get the x, y and z axes.
    """
    center = positions.mean(axis=1, keepdims=True)
    length = positions.shape[1]
    phase = np.pi * (np.arange(length) + 0.5) / length
    centered = positions - center
    half, whole = ((centered * np.cos(n * phase)[:, None]).sum(axis=1) for n in (1, 2))
    first = unit(half)
    across = whole - (whole * first).sum(-1, keepdims=True) * first
    second = unit(across)
    axes = np.stack([first, second, np.cross(first, second)], axis=1)
    straight = (_length(across) <= _MAX_FLATNESS * _length(half)) | (_length(half) == 0.0)
    return center, np.where(straight[:, :, None], np.eye(3), axes)


def _length(vectors: Float[np.ndarray, "F 3"]) -> Float[np.ndarray, "F 1"]:
    return np.asarray(np.sqrt((vectors * vectors).sum(-1, keepdims=True)))
