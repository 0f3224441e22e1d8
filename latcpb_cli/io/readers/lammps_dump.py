"""LAMMPS dumps as text.

latcpb reads them itself because MDAnalysis assumes the number of lines instead
of reading it, and moves the box to the origin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from jaxtyping import Float, Float64
from MDAnalysis.lib.mdamath import triclinic_box

from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile, bounded_lines, check_atom_count

__all__ = ["DumpFile"]

_MIN_LINE_BYTES = 6
_COLUMNS = (("xu", "yu", "zu"), ("x", "y", "z"), ("xsu", "ysu", "zsu"), ("xs", "ys", "zs"))
"""Names of coordinate columns, unwrapped ones first; those with an s are fractions of the box."""


@dataclass
class _FrameSpan:
    """Offset of the atoms of one frame in the file, and the values of its header."""

    step: float = 0.0
    start: int = 0
    first_line: int = 0
    columns: list[str] = field(default_factory=list)
    bounds: list[list[float]] = field(default_factory=list)


class DumpFile:
    """The frames of a LAMMPS dump, atoms in the order of their ids.

    Dumps hold no times: the step number serves as time.

    Parameters
    ----------
    file : InputFile

    Raises
    ------
    InputError
        If the file is not a dump, or ends within its first frame.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, file: InputFile) -> None:
        self.path, self._file = file.path, file
        self.n_atoms, self.truncated = 0, False
        self._spans: list[_FrameSpan] = []
        try:
            self._scan()
        except (ValueError, IndexError):
            raise InputError(
                f"{self.path}: line {self._line}: cannot be read as a LAMMPS dump",
                "the file is damaged, or of another format than its suffix",
            ) from None
        self.n_frames = len(self._spans)

    def read(self, index: int) -> Frame:
        """Read one frame."""
        span = self._spans[index]
        with self._file.readable.open("rb") as handle:
            handle.seek(span.start)
            rows = [line.split() for line in islice(bounded_lines(handle), self.n_atoms)]
        axes = next((axes for axes in _COLUMNS if set(axes) <= set(span.columns)), None)
        if axes is None:
            raise InputError(
                f"{self.path}: frame {index}: no coordinates among its columns ({' '.join(span.columns)})",
                "dump x y z, xu yu zu, or xs ys zs",
            )
        columns = [span.columns.index(axis) for axis in axes]
        id_column = span.columns.index("id") if "id" in span.columns else None
        try:
            fields = np.array([[row[column] for column in columns] for row in rows], dtype="S")
            positions = fields.astype(np.float64)
            order = np.arange(self.n_atoms)
            if id_column is not None:
                order = np.argsort([int(row[id_column]) for row in rows])
        except (ValueError, IndexError):
            raise InputError(
                f"{self.path}: frame {index}, from line {span.first_line}: an atom has no coordinates",
                "the file is damaged; copy it again",
            ) from None
        origin, vectors = _cell(span.bounds)
        if "s" in axes[0]:
            positions = origin + positions @ vectors
        box = clean_box(triclinic_box(*vectors))
        return Frame(positions[order].astype(np.float32), span.step, box)

    def read_times(self) -> Float64[np.ndarray, "F"]:
        """Return the step numbers of all frames."""
        return np.array([span.step for span in self._spans], dtype=np.float64)

    def _scan(self) -> None:
        self._line, offset, span, skip = 0, 0, _FrameSpan(), 0
        last = b""
        with self._file.readable.open("rb") as handle:
            lines = bounded_lines(handle)
            for line in lines:
                self._line, offset, last = self._line + 1, offset + len(line), line
                if skip:
                    skip -= 1
                    if not skip:
                        self._spans.append(span)
                        span = _FrameSpan()
                    continue
                item = line.strip()
                if item.startswith(b"ITEM: ATOMS"):
                    span.start, span.first_line = offset, self._line + 1
                    span.columns = item.decode("ascii", "replace").split()[2:]
                    skip = self.n_atoms
                elif item.startswith(b"ITEM:"):
                    offset += self._read_header(item, span, lines)
                elif item:
                    raise ValueError
        if skip or not last.endswith(b"\n"):
            self._mark_truncated(skip)

    def _read_header(self, item: bytes, span: _FrameSpan, lines: Iterator[bytes]) -> int:
        """Read the lines after one ITEM line and return the number of their bytes."""
        n_lines = 3 if item.startswith(b"ITEM: BOX") else 1
        taken = [next(lines, b"") for _ in range(n_lines)]
        self._line += n_lines
        if item == b"ITEM: TIMESTEP":
            span.step = float(taken[0])
        elif item == b"ITEM: NUMBER OF ATOMS":
            n_atoms = int(taken[0])
            check_atom_count(self._file, n_atoms, _MIN_LINE_BYTES)
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

    def _mark_truncated(self, n_missing: int) -> None:
        """Mark the file as truncated; raise where no frame is complete."""
        if not n_missing and self._spans:
            # The last line has no end, so its last number may be incomplete.
            self._spans.pop()
        if not self._spans:
            raise InputError(f"{self.path}: no whole frame", "the file is truncated; copy it again")
        self.truncated = True


def _cell(bounds: list[list[float]]) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3 3"]]:
    """Return the origin and the vectors (rows) of a box given by its bounds, tilted or not."""
    if not bounds:
        return np.zeros(3), np.zeros((3, 3))
    rows = np.array([[*row, 0.0][:3] for row in bounds])
    low, high, (xy, xz, yz) = rows[:, 0], rows[:, 1], rows[:, 2]
    low = low - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
    high = high - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
    edges = high - low
    return low, np.array([[edges[0], 0, 0], [xy, edges[1], 0], [xz, yz, edges[2]]])
