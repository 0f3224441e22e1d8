"""Which frames the 3D view holds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Int

__all__ = ["choose_frames"]

Array = np.ndarray


def choose_frames(n_frames: int, room: int, first: Iterable[int] = ()) -> Int[Array, "K"]:
    """Choose frames: some that must not be left out, then evenly spaced ones.

    Parameters
    ----------
    n_frames : int
        Number of frames, at least 1.
    room : int
        Largest number of frames to choose, at least 1.
    first : iterable of int
        Frames that come before all others, the most important one first.

    Returns
    -------
    numpy.ndarray of int64, shape (K,)
        In ascending order, each once.
    """
    if n_frames <= room:
        return np.arange(n_frames)
    chosen = list(dict.fromkeys(int(frame) for frame in first))[: max(1, room // 2)]
    chosen = chosen[:room]
    even = np.unique(np.linspace(0, n_frames - 1, room - len(chosen)).round().astype(np.int64))
    return np.unique(np.concatenate([even, np.array(chosen, dtype=np.int64)]))
