"""GRO files, with one or many frames.

latcpb reads them itself because MDAnalysis reads the first frame only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Float32, Float64
from MDAnalysis.lib.mdamath import triclinic_box

from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.atoms import AtomTable, unwrap_resids
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile, bounded_lines, check_atom_count

__all__ = ["GroFile"]

_TIME = re.compile(rb"\bt=\s*([-+.\deE]+)")
_MIN_LINE_BYTES = 38
_LABEL_COLUMNS = slice(0, 15)
"""Residue number, residue name and atom name."""
_ANGSTROM_PER_NM = 10.0


@dataclass
class _FrameSpan:
    """Bytes of a file that hold the atoms of one frame, and the values of the lines around them."""

    start: int
    stop: int
    first_line: int
    time: float | None
    box: list[float]
    has_own_labels: bool


class GroFile:
    """A GRO file as topology (`read_atoms`) and as frames (`read`).

    Parameters
    ----------
    file : InputFile

    Raises
    ------
    InputError
        If a line does not have the format, or the file ends within its first
        frame.
    """

    notes: tuple[str, ...] = ()
    names_atoms = True

    def __init__(self, file: InputFile) -> None:
        self.path, self._file = file.path, file
        self.n_atoms, self.truncated = 0, False
        self._labels: list[bytes] = []
        self._spans: list[_FrameSpan] = []
        self._scan()
        self.n_frames = len(self._spans)
        if not self._spans:
            raise InputError(
                f"{self.path}: no atoms in it", "is this a GRO file? the suffix decides on the format"
            )
        self._column_width: int | None = None

    def read_atoms(self, index: int = 0) -> AtomTable:
        """List the atoms of one frame."""
        lines = [line.decode("utf-8", "replace") for line in self._read_lines(index)]
        try:
            resids = np.array([int(line[0:5]) for line in lines], dtype=np.int64)
        except ValueError as error:
            raise InputError(
                f"{self.path}: a residue number is no integer ({error})", "check columns 1-5"
            ) from None
        blank = np.full(len(lines), "")
        segment_index = np.zeros(len(lines), dtype=np.int64)
        unwrap_resids(resids, blank, segment_index, last=99_999)
        return AtomTable(
            names=np.array([line[10:15].strip() for line in lines]),
            resnames=np.array([line[5:10].strip() for line in lines]),
            resids=resids,
            icodes=blank,
            altlocs=blank,
            chain_ids=blank,
            segment_index=segment_index,
        )

    def has_own_labels(self, index: int) -> bool:
        """Return whether an atom line begins differently from that of the first frame."""
        return self._spans[index].has_own_labels

    def read_times(self) -> Float64[np.ndarray, "F"] | None:
        """Return the times of all titles, None where a title has none."""
        times = [span.time for span in self._spans]
        return None if None in times else np.array(times, dtype=np.float64)

    def read(self, index: int) -> Frame:
        """Read one frame; where its title gives no time, the number of the frame serves as time."""
        span, lines = self._spans[index], self._read_lines(index)
        if self._column_width is None:
            self._column_width = self._find_column_width(lines[0], span.first_line)
        width = self._column_width
        edges = [20 + k * width for k in range(4)]
        fields = [tuple(line[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)) for line in lines]
        try:
            positions = np.array(fields, dtype=f"S{width}").astype(np.float64)
        except ValueError:
            raise self._bad_line(lines, span, width) from None
        time = float(index) if span.time is None else span.time
        return Frame((positions * _ANGSTROM_PER_NM).astype(np.float32), time, _convert_box(span.box))

    def _read_lines(self, index: int) -> list[bytes]:
        span = self._spans[index]
        with self._file.readable.open("rb") as handle:
            handle.seek(span.start)
            return handle.read(span.stop - span.start).splitlines()[: self.n_atoms]

    def _scan(self) -> None:
        """Find the frames in one pass, with one line at a time in memory."""
        offset, number = 0, 0
        with self._file.readable.open("rb") as handle:
            lines = bounded_lines(handle)
            for title in lines:
                offset, number = offset + len(title), number + 1
                count = next(lines, b"")
                if not count.strip() and not title.strip():
                    break
                offset, number = offset + len(count), number + 1
                n_atoms = self._parse_count(count, number)
                start, first_line = offset, number + 1
                labels, n_bytes = [], 0
                for line in islice(lines, n_atoms):
                    n_bytes += len(line)
                    labels.append(line[_LABEL_COLUMNS])
                box_line = next(lines, b"")
                offset, number = offset + n_bytes + len(box_line), number + len(labels) + bool(box_line)
                if not box_line:
                    self._mark_truncated(number)
                    return
                match = _TIME.search(title)
                time = _parse_float(match[1]) if match else None
                box = self._parse_box(box_line, number)
                self._labels = self._labels or labels
                self._spans.append(
                    _FrameSpan(start, start + n_bytes, first_line, time, box, labels != self._labels)
                )

    def _parse_count(self, line: bytes, number: int) -> int:
        """Read the number of atoms of a frame."""
        try:
            n_atoms = int(line)
        except ValueError:
            raise InputError(
                f"{self.path}: line {number}: no number of atoms",
                "is this a GRO file? the suffix decides on the format",
            ) from None
        check_atom_count(self._file, n_atoms, _MIN_LINE_BYTES)
        if self._spans and n_atoms != self.n_atoms:
            raise InputError(
                f"{self.path}: frame {len(self._spans)} has {n_atoms} atoms, frame 0 has {self.n_atoms}",
                "every frame must hold the same atoms; split the file",
            )
        self.n_atoms = n_atoms
        return n_atoms

    def _mark_truncated(self, number: int) -> None:
        """Mark the file as truncated; raise where that leaves no complete frame."""
        if not self._spans:
            raise InputError(
                f"{self.path}: cannot be read: ends in line {number}, too soon for {self.n_atoms} atoms",
                "the file is truncated, or the number in its second line is wrong",
            )
        self.truncated = True

    def _parse_box(self, line: bytes, number: int) -> list[float]:
        try:
            box = [float(value) for value in line.split()]
        except ValueError:
            box = []
        if len(box) not in (3, 9):
            raise InputError(
                f"{self.path}: line {number}: no box of 3 or 9 numbers",
                "the number of atoms in the second line is wrong, or the file is damaged",
            )
        return box

    def _find_column_width(self, line: bytes, number: int) -> int:
        """Return the width of a column, which varies: the distance between two decimal points."""
        points = [column for column, letter in enumerate(line) if letter == ord(".") and column >= 20]
        if len(points) < 3 or points[1] - points[0] != points[2] - points[1]:
            raise self._no_coordinates(number)
        return points[1] - points[0]

    def _bad_line(self, lines: list[bytes], span: _FrameSpan, width: int) -> InputError:
        for number, line in enumerate(lines, start=span.first_line):
            try:
                [float(line[20 + k * width : 20 + (k + 1) * width]) for k in range(3)]
            except ValueError:
                return self._no_coordinates(number)
        return self._no_coordinates(span.first_line)

    def _no_coordinates(self, number: int) -> InputError:
        return InputError(
            f"{self.path}: line {number}: no coordinates from column 21 on", "write the file again"
        )


def _parse_float(text: bytes) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _convert_box(values: list[float]) -> Float32[np.ndarray, "6"]:
    """Turn the vectors of a GRO file, in nm, into lengths in Å and angles in degrees."""
    if len(values) == 3:
        return clean_box(np.array([*(_ANGSTROM_PER_NM * np.array(values)), 90.0, 90.0, 90.0]))
    xx, yy, zz, xy, xz, yx, yz, zx, zy = (_ANGSTROM_PER_NM * np.array(values)).tolist()
    return clean_box(triclinic_box([xx, xy, xz], [yx, yy, yz], [zx, zy, zz]))
