"""Frames of coordinate files, and several files read as one trajectory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float32, Float64

from latcpb_cli.io.readers.atoms import AtomTable

__all__ = ["Frame", "FrameFile", "StructureFile", "Trajectory", "clean_box"]

_MIN_EDGE = 2.0
"""Box edges below this (Å) are placeholders, such as the 1 Å cell that CRYST1 records have for no box."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a file.

    Attributes
    ----------
    positions : numpy.ndarray of float32, shape (N, 3)
        In Å.
    time : float
        In ps.
    box : numpy.ndarray of float32, shape (6,)
        a, b, c (Å), alpha, beta, gamma (degrees); zeros for no box.
    """

    positions: Float32[np.ndarray, "N 3"]
    time: float
    box: Float32[np.ndarray, "6"]


@runtime_checkable
class FrameFile(Protocol):
    """A file with frames that can be read in any order.

    Attributes
    ----------
    path : pathlib.Path
        As the user named it.
    n_atoms : int
        Atoms of every frame.
    n_frames : int
        Frames that are complete.
    truncated : bool
        Whether a part of one more frame follows the last one.
    notes : tuple of str
        What the user should know about the reading of this file, one line each.
    """

    path: Path
    n_atoms: int
    n_frames: int
    truncated: bool
    notes: tuple[str, ...]

    def read(self, index: int) -> Frame:
        """Read one frame.

        Raises
        ------
        InputError
            If the frame is damaged.
        """

    def read_times(self) -> Float64[np.ndarray, "F"] | None:
        """Read the times (ps) of all frames.

        Returns
        -------
        numpy.ndarray of float64, shape (F,), or None
            None where the file holds no times, or none that can be read
            without the positions.
        """


@runtime_checkable
class StructureFile(FrameFile, Protocol):
    """A file that can name its atoms and holds frames.

    Attributes
    ----------
    names_atoms : bool
        Whether `read_atoms` is possible.
    """

    names_atoms: bool

    def read_atoms(self, index: int = 0) -> AtomTable:
        """List the atoms of one frame.

        Raises
        ------
        InputError
            If the file is damaged.
        """

    def has_own_labels(self, index: int) -> bool:
        """Return whether a frame may name its atoms differently from the first frame.

        This is false where the names are the same byte for byte.
        """


class Trajectory:
    """Several frame files, one after the other.

    Parameters
    ----------
    files : sequence of FrameFile
        At least one, each with at least one frame.
    """

    def __init__(self, files: Sequence[FrameFile]) -> None:
        self.files = tuple(files)
        self._ends = np.cumsum([file.n_frames for file in self.files])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def locate(self, index: int) -> tuple[FrameFile, int]:
        """Return the file that holds a frame, and the number of the frame in it."""
        number = int(np.searchsorted(self._ends, index, side="right"))
        start = 0 if number == 0 else int(self._ends[number - 1])
        return self.files[number], index - start

    def read_times(self) -> Float64[np.ndarray, "F"] | None:
        """Read the times (ps) of all frames; None where one of the files does not give them."""
        times = [file.read_times() for file in self.files]
        known = [values for values in times if values is not None]
        return np.concatenate(known) if len(known) == len(times) else None

    def read(self, index: int) -> Frame:
        """Read one frame, counted over all files."""
        file, local = self.locate(index)
        return file.read(local)


def clean_box(dimensions: Float[np.ndarray, "6"] | None) -> Float32[np.ndarray, "6"]:
    """Turn missing, zero and placeholder boxes into zeros.

    Parameters
    ----------
    dimensions : numpy.ndarray, shape (6,), or None
        a, b, c (Å), alpha, beta, gamma (degrees).

    Returns
    -------
    numpy.ndarray of float32, shape (6,)
    """
    box = np.zeros(6, dtype=np.float32)
    if dimensions is not None:
        given = np.asarray(dimensions, dtype=np.float32)
        angles_valid = bool(np.all((given[3:] > 1.0) & (given[3:] < 179.0)))
        if np.all(np.isfinite(given)) and np.all(given[:3] >= _MIN_EDGE) and angles_valid:
            box[:] = given
    return box
