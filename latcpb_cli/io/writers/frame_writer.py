"""What every writer of coordinates is given, and what it can do."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from latcpb_cli.io.writers.part_file import FileSizes
from latcpb_cli.structure import Bridge

__all__ = ["FrameInfo", "FrameWriter", "ResumePoint"]


class FrameInfo(NamedTuple):
    """Where a written frame comes from: frame and sample number, time in ps, box (6,), its disulfides."""

    frame: int
    sample: int
    time: float
    box: np.ndarray
    bridges: tuple[Bridge, ...] = ()


class ResumePoint(NamedTuple):
    """What the files of an interrupted run hold.

    ``sizes`` are the bytes of each file, by final name, that hold the first ``structures`` structures;
    ``bridges`` are the disulfides of the very first one.
    """

    sizes: FileSizes
    structures: int
    bridges: tuple[Bridge, ...]


class FrameWriter(Protocol):
    """A file that takes one frame after the other."""

    def write(self, positions: np.ndarray, bfactors: np.ndarray | None, info: FrameInfo) -> None:
        """Append positions (N, 3) in Å, with one B factor per residue (L,) or none."""

    def flush(self) -> None:
        """Hand on what is held back."""

    def finish(self) -> None:
        """Write what ends a complete file."""

    def close(self) -> None:
        """Give back what is open beside the part; may be called more than once."""
