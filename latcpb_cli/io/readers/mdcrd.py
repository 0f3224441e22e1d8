"""Amber trajectories as text.

Read here because MDAnalysis fails on files of one frame.
"""

from __future__ import annotations

from itertools import islice
from typing import IO

import numpy as np

from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile, bounded_lines

__all__ = ["MdcrdFile"]

_COLUMN_WIDTH, _COLUMNS_PER_LINE = 8, 10


class MdcrdFile:
    """The frames of an Amber text trajectory.

    The file holds neither the number of atoms nor times: the first comes from
    the topology, and the number of a frame serves as its time.

    Parameters
    ----------
    file : InputFile
    n_atoms : int

    Raises
    ------
    InputError
        If the lines do not match the number of atoms.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, file: InputFile, n_atoms: int) -> None:
        self.path, self._file, self.n_atoms = file.path, file, n_atoms
        self._starts, self._lines_per_frame = [0], -(-3 * n_atoms // _COLUMNS_PER_LINE)
        self._has_boxes = False
        truncated = self._scan()
        if not self._starts:
            raise InputError(
                f"{self.path}: no frame of {n_atoms} atoms in it",
                "give the topology that the trajectory was written with",
            )
        self.n_frames, self.truncated = len(self._starts), truncated

    def read(self, index: int) -> Frame:
        """Read one frame."""
        with self._file.readable.open("rb") as handle:
            handle.seek(self._starts[index])
            lines = list(islice(bounded_lines(handle), self._lines_per_frame + 1))
        positions = [value for line in lines[: self._lines_per_frame] for value in _fields(line)]
        box = None
        try:
            if len(positions) != 3 * self.n_atoms:
                raise ValueError
            xyz = np.array(positions, dtype=f"S{_COLUMN_WIDTH}").astype(np.float32).reshape(-1, 3)
            if self._has_boxes:
                box = np.array([*(float(edge) for edge in _fields(lines[-1])), 90.0, 90.0, 90.0])
        except ValueError:
            raise InputError(
                f"{self.path}: frame {index} does not hold {self.n_atoms} atoms",
                "the file is damaged, or was written with another topology",
            ) from None
        return Frame(xyz, float(index), clean_box(box))

    def read_times(self) -> None:
        """Return None: the file holds no times."""

    def _scan(self) -> bool:
        """Find the frames and return whether a part of one more follows."""
        count, offset = 0, 0
        per_frame = self._lines_per_frame
        self._starts, start = [], 0
        with self._file.readable.open("rb") as handle:
            for number, line in enumerate(bounded_lines(handle)):
                if number and count == 0:
                    start = offset
                offset += len(line)
                if not number or not line.strip():
                    continue
                count += 1
                if count == per_frame and not self._starts:
                    self._has_boxes = self._box_follows(handle)
                if count == per_frame + self._has_boxes and line.endswith(b"\n"):
                    self._starts.append(start)
                    count = 0
        return count > 0

    def _box_follows(self, handle: IO[bytes]) -> bool:
        """Return whether the line after the first frame is a box: three numbers, no start of a frame."""
        offset = handle.tell()
        line = handle.readline(200)
        handle.seek(offset)
        return len(_fields(line)) == 3 and self.n_atoms > 1


def _fields(line: bytes) -> list[bytes]:
    text = line.rstrip()
    return [text[at : at + _COLUMN_WIDTH] for at in range(0, len(text), _COLUMN_WIDTH)]
