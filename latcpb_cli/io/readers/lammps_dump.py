"""LAMMPS dumps as text.

Read here because MDAnalysis counts lines instead of reading them, and moves
the box to the origin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from MDAnalysis.lib.mdamath import triclinic_box

from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile, bounded_lines, refuse_count

__all__ = ["DumpFile"]

_SHORTEST_LINE = 6
_COLUMNS = (("xu", "yu", "zu"), ("x", "y", "z"), ("xsu", "ysu", "zsu"), ("xs", "ys", "zs"))
"""Kinds of coordinates, whole chains first; those with an s are fractions of the box."""


@dataclass
class _Span:
    """One frame: where its atoms stand, and what its header says."""

    step: float = 0.0
    start: int = 0
    first_line: int = 0
    columns: list[str] = field(default_factory=list)
    bounds: list[list[float]] = field(default_factory=list)


class DumpFile:
    """The frames of a LAMMPS dump, atoms in the order of their ids.

    Dumps hold no times: the step number stands for it.

    Raises
    ------
    InputError
        If the file is no dump, or ends within its first frame.
    """

    def __init__(self, file: InputFile) -> None:
        self.path, self._file = file.path, file
        self.n_atoms, self.truncated = 0, False
        self._spans: list[_Span] = []
        try:
            self._scan()
        except (ValueError, IndexError):
            raise InputError(
                f"{self.path}: line {self._line}: cannot be read as a LAMMPS dump",
                "the file is damaged, or of another format than its suffix says",
            ) from None
        self.n_frames = len(self._spans)

    def read(self, index: int) -> Frame:
        """Read one frame."""
        span = self._spans[index]
        with self._file.readable.open("rb") as handle:
            handle.seek(span.start)
            rows = [line.split() for line in islice(bounded_lines(handle), self.n_atoms)]
        kind = next((kind for kind in _COLUMNS if set(kind) <= set(span.columns)), None)
        if kind is None:
            raise InputError(
                f"{self.path}: frame {index}: no coordinates among its columns ({' '.join(span.columns)})",
                "dump x y z, xu yu zu, or xs ys zs",
            )
        places = [span.columns.index(axis) for axis in kind]
        ids = span.columns.index("id") if "id" in span.columns else None
        try:
            fields = np.array([[row[place] for place in places] for row in rows], dtype="S")
            positions = fields.astype(np.float64)
            order = np.arange(self.n_atoms) if ids is None else np.argsort([int(row[ids]) for row in rows])
        except (ValueError, IndexError):
            raise InputError(
                f"{self.path}: frame {index}, from line {span.first_line}: an atom has no coordinates",
                "the file is damaged; copy it again",
            ) from None
        origin, vectors = _cell(span.bounds)
        if "s" in kind[0]:
            positions = origin + positions @ vectors
        box = clean_box(triclinic_box(*vectors))
        return Frame(positions[order].astype(np.float32), span.step, box)

    def _scan(self) -> None:
        self._line, offset, span, skip = 0, 0, _Span(), 0
        last = b""
        with self._file.readable.open("rb") as handle:
            lines = bounded_lines(handle)
            for line in lines:
                self._line, offset, last = self._line + 1, offset + len(line), line
                if skip:
                    skip -= 1
                    if not skip:
                        self._spans.append(span)
                        span = _Span()
                    continue
                item = line.strip()
                if item.startswith(b"ITEM: ATOMS"):
                    span.start, span.first_line = offset, self._line + 1
                    span.columns = item.decode("ascii", "replace").split()[2:]
                    skip = self.n_atoms
                elif item.startswith(b"ITEM:"):
                    offset += self._header(item, span, lines)
                elif item:
                    raise ValueError
        if skip or not last.endswith(b"\n"):
            self._cut(skip)

    def _header(self, item: bytes, span: _Span, lines: object) -> int:
        """Read what follows one ITEM line; returns how many bytes that was."""
        n_lines = 3 if item.startswith(b"ITEM: BOX") else 1
        taken = [next(lines, b"") for _ in range(n_lines)]  # type: ignore[call-overload]
        self._line += n_lines
        if item == b"ITEM: TIMESTEP":
            span.step = float(taken[0])
        elif item == b"ITEM: NUMBER OF ATOMS":
            n_atoms = int(taken[0])
            refuse_count(self._file, n_atoms, _SHORTEST_LINE)
            if self._spans and n_atoms != self.n_atoms:
                raise InputError(
                    f"{self.path}: frame {len(self._spans)} has {n_atoms} atoms, frame 0 has {self.n_atoms}",
                    "every frame must hold the same atoms; dump one group throughout",
                )
            self.n_atoms = n_atoms
        elif item.startswith(b"ITEM: BOX"):
            span.bounds = [[float(value) for value in line.split()] for line in taken]
            if len({len(row) for row in span.bounds}) != 1 or len(span.bounds[0]) not in (2, 3):
                raise ValueError
        return sum(map(len, taken))

    def _cut(self, missing: int) -> None:
        if not missing and self._spans:
            # The last line has no end: nothing says that its last number is whole.
            self._spans.pop()
        if not self._spans:
            raise InputError(f"{self.path}: no whole frame", "the file is truncated; copy it again")
        self.truncated = True


def _cell(bounds: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """Origin (3,) and vectors (3, 3) of a box given by its bounds, tilted or not."""
    if not bounds:
        return np.zeros(3), np.zeros((3, 3))
    rows = np.array([[*row, 0.0][:3] for row in bounds])
    low, high, (xy, xz, yz) = rows[:, 0], rows[:, 1], rows[:, 2]
    low = low - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
    high = high - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
    edges = high - low
    return low, np.array([[edges[0], 0, 0], [xy, edges[1], 0], [xz, yz, edges[2]]])
