"""PDB files, with one or many frames.

latcpb reads them itself because MDAnalysis ignores three things that users'
files rely on: TER records as chain ends, frames that END records separate
instead of MODEL, and residue numbers that fall by thousands where a new chain
starts (MDAnalysis takes that for a counter that starts again).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from latcpb_cli.chem.residue_names import standard_name
from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.atoms import AtomTable, unwrap_resids
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile, bounded_lines

__all__ = ["PdbFile"]

_ATOM_RECORDS = (b"ATOM  ", b"HETATM")
_LABEL_COLUMNS, _SEGMENT_COLUMNS = slice(11, 27), slice(72, 76)
"""Atom name, alternate location, residue name, chain, residue number, insertion code; and the segment."""
_TIME = re.compile(rb"\bTIME\s+(\S+)\s+PS\b|\bt=\s*(\S+)")
_COORDINATES = re.compile(rb"(-?\d+\.\d{3})\s*(-?\d+\.\d{3})\s*(-?\d+\.\d{3})(?!\d)")
"""Three coordinates, in whatever columns."""
_X_END = 38
"""Column after the x coordinate."""
_MAX_BYTES_PER_ATOM, _ALWAYS_ALLOWED_BYTES = 1000, 1 << 24
"""A frame with more bytes than both is not read into memory."""


@dataclass
class _FrameSpan:
    """Bytes of a file that hold one frame, and the values of the records before its atoms."""

    start: int = 0
    stop: int = 0
    first_line: int = 0
    n_atoms: int = 0
    time: float | None = None
    box: np.ndarray | None = None
    has_own_labels: bool = False


class PdbFile:
    """A PDB file as topology (`read_atoms`) and as frames (`read`).

    Parameters
    ----------
    file : InputFile

    Raises
    ------
    InputError
        If the file has no atoms, or frames with different numbers of atoms.
    """

    notes: tuple[str, ...] = ()
    names_atoms = True

    def __init__(self, file: InputFile) -> None:
        path = self.path = file.path
        self._file = file
        spans = _scan_frames(file)
        if not spans:
            raise InputError(
                f"{path}: no ATOM or HETATM record", "is this a PDB file? the suffix decides on the format"
            )
        self.n_atoms = spans[0].n_atoms
        self.truncated = len(spans) > 1 and spans[-1].n_atoms < self.n_atoms
        self._spans = spans[:-1] if self.truncated else spans
        self.n_frames = len(self._spans)
        for number, span in enumerate(self._spans):
            if span.n_atoms != self.n_atoms:
                raise InputError(
                    f"{path}: frame {number} has {span.n_atoms} atoms, frame 0 has {self.n_atoms}",
                    "every MODEL must hold the same atoms; split the file",
                )

    def read_atoms(self, index: int = 0) -> AtomTable:
        """List the atoms of one frame."""
        lines, ter_index, n_ter = [], [], 0
        for line in self._read_lines(index):
            if line[:6] in _ATOM_RECORDS:
                lines.append(_aligned(line).decode("ascii", "replace"))
                ter_index.append(n_ter)
            elif line[:3] == b"TER":
                n_ter += 1
        return _atom_table(self._file, lines, ter_index)

    def has_own_labels(self, index: int) -> bool:
        """Return whether the columns that name an atom differ from those in the first frame."""
        return self._spans[index].has_own_labels

    def read_times(self) -> Float64[np.ndarray, "F"] | None:
        """Return the times of all frames, None where a frame has none."""
        times = [span.time for span in self._spans]
        return None if None in times else np.array(times, dtype=np.float64)

    def read(self, index: int) -> Frame:
        """Read one frame; where the file gives no time, the number of the frame serves as time."""
        span = self._spans[index]
        lines = [line for line in self._read_lines(index) if line[:6] in _ATOM_RECORDS]
        fields = [(line[30:38], line[38:46], line[46:54]) for line in lines]
        try:
            positions = np.array(fields, dtype="S8").astype(np.float32)
        except ValueError:
            positions = self._read_shifted(span, lines)
        time = float(index) if span.time is None else span.time
        return Frame(positions, time, clean_box(span.box))

    def _read_lines(self, index: int) -> list[bytes]:
        span = self._spans[index]
        size = span.stop - span.start
        if size > _MAX_BYTES_PER_ATOM * span.n_atoms + _ALWAYS_ALLOWED_BYTES:
            raise InputError(
                f"{self.path}: frame {index}: {span.n_atoms} atoms in {size:,} bytes", "this is no PDB file"
            )
        with self._file.readable.open("rb") as handle:
            handle.seek(span.start)
            return handle.read(size).split(b"\n")

    def _read_shifted(self, span: _FrameSpan, lines: list[bytes]) -> Float32[np.ndarray, "N 3"]:
        """Read coordinates that are outside their columns."""
        matches = [_COORDINATES.search(line, 22) for line in lines]
        fields = [match.groups() if match else () for match in matches]
        if not all(fields):
            raise self._bad_coordinates(span)
        return np.array(fields, dtype="S16").astype(np.float32)

    def _bad_coordinates(self, span: _FrameSpan) -> InputError:
        """Return an error that names the line without coordinates."""
        with self._file.readable.open("rb") as handle:
            handle.seek(span.start)
            lines = enumerate(bounded_lines(handle), span.first_line)
            bad_line = next((number for number, line in lines if not _is_readable(line)), span.first_line)
        return InputError(
            f"{self.path}: line {bad_line}: no coordinates in columns 31-54",
            "the file is cut short or does not keep to the PDB columns; write it again",
        )


def _is_readable(line: bytes) -> bool:
    """Return whether a line is no atom, or one with coordinates."""
    if line[:6] in _ATOM_RECORDS:
        try:
            [float(line[start : start + 8]) for start in (30, 38, 46)]
        except ValueError:
            return _COORDINATES.search(line, 22) is not None
    return True


def _aligned(line: bytes) -> bytes:
    """Shift a line back into its columns, from which an atom number too wide, or too narrow, has moved it."""
    match = _COORDINATES.search(line, 22)
    if match is None or match.end(2) - match.end(1) != 8 or match.end(3) - match.end(2) != 8:
        return line
    offset = match.end(1) - _X_END
    if offset > 0 and not line[6 : 6 + offset + 1].strip(b" 0123456789"):
        return line[:6] + line[6 + offset :]
    return line[:6] + b" " * -offset + line[6:] if -4 < offset < 0 else line


def _scan_frames(file: InputFile) -> list[_FrameSpan]:
    """Find the frames of a PDB file in one pass, with one line at a time in memory."""
    spans: list[_FrameSpan] = []
    labels: list[bytes] = []
    span, box, offset, number, line = _FrameSpan(), None, 0, 0, b""
    with file.readable.open("rb") as handle:
        for number, line in enumerate(bounded_lines(handle), start=1):
            end, record = offset + len(line), line[:6]
            if record in _ATOM_RECORDS:
                if span.n_atoms == 0:
                    span.start, span.first_line = offset, number
                label = line[_LABEL_COLUMNS] + line[_SEGMENT_COLUMNS]
                if not spans:
                    labels.append(label)
                elif span.n_atoms < len(labels) and label != labels[span.n_atoms]:
                    span.has_own_labels = True
                span.n_atoms += 1
            elif record == b"CRYST1":
                box = _parse_box(line)
            elif record in (b"TITLE ", b"REMARK"):
                span.time = _parse_time(line, span.time)
            if span.n_atoms and (record[:5] == b"MODEL" or record[:3] == b"END"):
                spans.append(span)
                span = _FrameSpan()
            if span.n_atoms:
                span.stop, span.box = end, box
            offset = end
    if span.n_atoms:
        _check_last_line(file, number, line)
        spans.append(span)
    return spans


def _check_last_line(file: InputFile, number: int, line: bytes) -> None:
    """Raise where the last line breaks off within an atom."""
    if not line.endswith(b"\n") and len(line) < 54 and not line.startswith((b"END", b"TER")):
        raise InputError(f"{file.path}: cut short in line {number}", "the file is truncated; copy it again")


def _parse_time(line: bytes, default: float | None) -> float | None:
    """Read the time in ps from the titles of GROMACS and the remarks of latcpb."""
    match = _TIME.search(line)
    try:
        return float(match[1] or match[2]) if match else default
    except ValueError:
        return default


def _parse_box(line: bytes) -> Float[np.ndarray, "6"] | None:
    edges = [(6, 15), (15, 24), (24, 33), (33, 40), (40, 47), (47, 54)]
    try:
        return np.array([float(line[start:stop]) for start, stop in edges])
    except ValueError:
        return None


def _atom_table(file: InputFile, lines: list[str], ter_index: list[int]) -> AtomTable:
    """Parse atom lines; ``ter_index`` counts the TER records before each of them."""
    segids = np.array([line[72:76].strip() for line in lines])
    chain_ids = np.array([line[21:22].strip() for line in lines])
    if not chain_ids.any() and max(map(len, segids.tolist())) == 1:
        chain_ids = segids
    segment_index = np.array(ter_index, dtype=np.int64)
    # A change of segment name ends a chain too; many CHARMM files have no other mark.
    segment_index[1:] += np.cumsum(segids[1:] != segids[:-1])
    resids = np.array([_resid(file, line) for line in lines], dtype=np.int64)
    unwrap_resids(resids, chain_ids, segment_index)
    return AtomTable(
        names=np.array([_atom_name(line) for line in lines]),
        resnames=np.array([_resname(line) for line in lines]),
        resids=resids,
        icodes=np.array([line[26:27].strip().strip("0123456789") for line in lines]),
        altlocs=np.array(["" if _is_wide_resname(line) else line[16:17].strip() for line in lines]),
        chain_ids=chain_ids,
        segment_index=segment_index,
    )


def _atom_name(line: str) -> str:
    """Read the atom name, which some programs begin one column further left."""
    return line[11:16].strip() if line[11:12].isalpha() else line[12:16].strip()


def _resname(line: str) -> str:
    return line[16:20].strip() if _is_wide_resname(line) else line[17:21].strip()


def _is_wide_resname(line: str) -> bool:
    """Return whether a residue name begins in the column of the alternate location."""
    if line[16:17] == " " or line[19:20].strip():
        return False
    return standard_name(line[17:21].strip()) is None and standard_name(line[16:20].strip()) is not None


def _resid(file: InputFile, line: str) -> int:
    """Read a residue number: decimal, one column too wide, or hybrid-36."""
    text = line[22:27] if line[26:27].isdigit() else line[22:26]
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = int(text, 36)
    except ValueError:
        raise InputError(
            f"{file.path}: '{text}' is not a residue number (columns 23-26)",
            "number the residues of the file",
        ) from None
    upper = text[0].isupper()
    return value - 10 * 36**3 + 10**4 if upper else value + 16 * 36**3 + 10**4
