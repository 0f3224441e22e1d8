"""Frames of coordinate files, and several files read as one trajectory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

__all__ = ["Frame", "FrameFile", "Trajectory", "clean_box"]

_SMALLEST_EDGE = 2.0
"""Box edges below this (Å) are placeholders such as the 1 Å cell of CRYST1."""


class Frame(NamedTuple):
    """Positions (N, 3) in Å, time in ps, box (6,) in Å and degrees (zeros for none)."""

    positions: np.ndarray
    time: float
    box: np.ndarray


class FrameFile(Protocol):
    """A file with frames that can be read in any order.

    ``n_frames`` counts the whole frames; ``truncated`` tells that a part of
    one more frame follows them.
    """

    path: Path
    n_atoms: int
    n_frames: int
    truncated: bool

    def read(self, index: int) -> Frame:
        """Read one frame; raises `InputError` where that fails."""


class Trajectory:
    """Several frame files, one after the other."""

    def __init__(self, files: Sequence[FrameFile]) -> None:
        self.files = tuple(files)
        self._ends = np.cumsum([file.n_frames for file in self.files])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def locate(self, index: int) -> tuple[FrameFile, int]:
        """Find the file that holds a frame, and the number of the frame in it."""
        which = int(np.searchsorted(self._ends, index, side="right"))
        start = 0 if which == 0 else int(self._ends[which - 1])
        return self.files[which], index - start

    def read(self, index: int) -> Frame:
        """Read one frame, counted over all files."""
        file, local = self.locate(index)
        return file.read(local)


def clean_box(dimensions: np.ndarray | None) -> np.ndarray:
    """Turn missing, zero and placeholder boxes into zeros.

    Parameters
    ----------
    dimensions : array_like, shape (6,), or None
        a, b, c (Å), alpha, beta, gamma (degrees).

    Returns
    -------
    numpy.ndarray of float32, shape (6,)
    """
    box = np.zeros(6, dtype=np.float32)
    if dimensions is not None:
        given = np.asarray(dimensions, dtype=np.float32)
        angles_sound = bool(np.all((given[3:] > 1.0) & (given[3:] < 179.0)))
        if np.all(np.isfinite(given)) and np.all(given[:3] >= _SMALLEST_EDGE) and angles_sound:
            box[:] = given
    return box
