"""PDB files, with one or many frames.

Read here rather than through MDAnalysis because three things that users'
files rely on get lost there: TER records as chain ends, frames that are
separated by END instead of MODEL, and residue numbers that fall by thousands
where a new chain starts (MDAnalysis takes that for a wrapped counter).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from latcpb_cli.chem.residue_names import standard_name
from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.atoms import AtomTable, unwrap_resids
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile, bounded_lines

__all__ = ["PdbFile"]

_ATOM = (b"ATOM  ", b"HETATM")
_TIME = re.compile(rb"\bTIME\s+(\S+)\s+PS\b|\bt=\s*(\S+)")
_TRIPLE = re.compile(rb"(-?\d+\.\d{3})\s*(-?\d+\.\d{3})\s*(-?\d+\.\d{3})(?!\d)")
"""Three coordinates, wherever they stand."""
_X_END = 38
_MOST_BYTES_PER_ATOM, _FREE_BYTES = 1000, 1 << 24
"""A frame with more bytes than this is not read into memory."""


@dataclass
class _Span:
    """Where one frame stands in the file."""

    start: int = 0
    stop: int = 0
    first_line: int = 0
    n_atoms: int = 0
    time: float | None = None
    box: np.ndarray | None = None


class PdbFile:
    """A PDB file as topology (`atoms`) and as frames (`read`).

    Parameters
    ----------
    file : InputFile

    Raises
    ------
    InputError
        If the file has no atoms, or frames with different numbers of atoms.
    """

    def __init__(self, file: InputFile) -> None:
        path = self.path = file.path
        self._file = file
        spans = _scan(file)
        if not spans:
            raise InputError(
                f"{path}: no ATOM or HETATM record", "is this a PDB file? the suffix tells the format"
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

    def atoms(self) -> AtomTable:
        """List the atoms of the first frame."""
        rows, part = [], 0
        for line in self._lines(0):
            if line[:6] in _ATOM:
                rows.append((_aligned(line).decode("ascii", "replace"), part))
            elif line[:3] == b"TER":
                part += 1
        return _table(self._file, rows)

    def read(self, index: int) -> Frame:
        """Read one frame; a time that the file does not give is its number."""
        span = self._spans[index]
        lines = [line for line in self._lines(index) if line[:6] in _ATOM]
        fields = [(line[30:38], line[38:46], line[46:54]) for line in lines]
        try:
            positions = np.array(fields, dtype="S8").astype(np.float32)
        except ValueError:
            positions = self._shifted(span, lines)
        time = float(index) if span.time is None else span.time
        return Frame(positions, time, clean_box(span.box))

    def _lines(self, index: int) -> list[bytes]:
        span = self._spans[index]
        size = span.stop - span.start
        if size > _MOST_BYTES_PER_ATOM * span.n_atoms + _FREE_BYTES:
            raise InputError(
                f"{self.path}: frame {index}: {span.n_atoms} atoms in {size:,} bytes", "this is no PDB file"
            )
        with self._file.readable.open("rb") as handle:
            handle.seek(span.start)
            return handle.read(size).split(b"\n")

    def _shifted(self, span: _Span, lines: list[bytes]) -> np.ndarray:
        """Read coordinates that do not keep to their columns."""
        found = [_TRIPLE.search(line, 22) for line in lines]
        wide = [match.groups() if match else () for match in found]
        if not all(wide):
            raise self._bad_number(span)
        return np.array(wide, dtype="S16").astype(np.float32)

    def _bad_number(self, span: _Span) -> InputError:
        """Name the line that could not be read."""
        with self._file.readable.open("rb") as handle:
            handle.seek(span.start)
            lines = enumerate(bounded_lines(handle), span.first_line)
            where = next((number for number, line in lines if not _sound(line)), span.first_line)
        return InputError(
            f"{self.path}: line {where}: no coordinates in columns 31-54",
            "the file is cut short or does not keep to the PDB columns; write it again",
        )


def _sound(line: bytes) -> bool:
    """Tell whether a line is no atom, or one with coordinates."""
    if line[:6] in _ATOM:
        try:
            [float(line[at : at + 8]) for at in (30, 38, 46)]
        except ValueError:
            return _TRIPLE.search(line, 22) is not None
    return True


def _aligned(line: bytes) -> bytes:
    """Move a line back whose columns a number too wide, or too narrow, has shifted."""
    found = _TRIPLE.search(line, 22)
    if found is None or found.end(2) - found.end(1) != 8 or found.end(3) - found.end(2) != 8:
        return line
    offset = found.end(1) - _X_END
    if offset > 0 and not line[6 : 6 + offset + 1].strip(b" 0123456789"):
        return line[:6] + line[6 + offset :]
    return line[:6] + b" " * -offset + line[6:] if -4 < offset < 0 else line


def _scan(file: InputFile) -> list[_Span]:
    """Find the frames of a PDB file in one pass, holding one line at a time."""
    spans: list[_Span] = []
    span, box, offset, number, line = _Span(), None, 0, 0, b""
    with file.readable.open("rb") as handle:
        for number, line in enumerate(bounded_lines(handle), start=1):
            end, record = offset + len(line), line[:6]
            if record in _ATOM:
                if span.n_atoms == 0:
                    span.start, span.first_line = offset, number
                span.n_atoms += 1
            elif record == b"CRYST1":
                box = _box(line)
            elif record in (b"TITLE ", b"REMARK"):
                span.time = _time(line, span.time)
            if span.n_atoms and (record[:5] == b"MODEL" or record[:3] == b"END"):
                spans.append(span)
                span = _Span()
            if span.n_atoms:
                span.stop, span.box = end, box
            offset = end
    if span.n_atoms:
        _refuse_half_line(file, number, line)
        spans.append(span)
    return spans


def _refuse_half_line(file: InputFile, number: int, line: bytes) -> None:
    """Refuse a file whose last line breaks off within an atom."""
    if not line.endswith(b"\n") and len(line) < 54 and not line.startswith((b"END", b"TER")):
        raise InputError(f"{file.path}: cut short in line {number}", "the file is truncated; copy it again")


def _time(line: bytes, otherwise: float | None) -> float | None:
    """Read the time in ps that GROMACS titles and our own remarks give."""
    found = _TIME.search(line)
    try:
        return float(found[1] or found[2]) if found else otherwise
    except ValueError:
        return otherwise


def _box(line: bytes) -> np.ndarray | None:
    edges = [(6, 15), (15, 24), (24, 33), (33, 40), (40, 47), (47, 54)]
    try:
        return np.array([float(line[start:stop]) for start, stop in edges])
    except ValueError:
        return None


def _table(file: InputFile, rows: list[tuple[str, int]]) -> AtomTable:
    segments = np.array([line[72:76].strip() for line, _ in rows])
    chain_ids = np.array([line[21:22].strip() for line, _ in rows])
    if not chain_ids.any() and max(map(len, segments.tolist())) == 1:
        chain_ids = segments
    parts = np.array([part for _, part in rows], dtype=np.int64)
    # A change of segment ends a chain too; many CHARMM files have nothing else.
    parts[1:] += np.cumsum(segments[1:] != segments[:-1])
    resids = np.array([_resid(file, line) for line, _ in rows], dtype=np.int64)
    unwrap_resids(resids, chain_ids, parts)
    return AtomTable(
        names=np.array([_atom_name(line) for line, _ in rows]),
        resnames=np.array([_resname(line) for line, _ in rows]),
        resids=resids,
        icodes=np.array([line[26:27].strip().strip("0123456789") for line, _ in rows]),
        altlocs=np.array(["" if _resname_from_16(line) else line[16:17].strip() for line, _ in rows]),
        chain_ids=chain_ids,
        parts=parts,
    )


def _atom_name(line: str) -> str:
    """Atom name, from one column further left where it begins there."""
    return line[11:16].strip() if line[11:12].isalpha() else line[12:16].strip()


def _resname(line: str) -> str:
    return line[16:20].strip() if _resname_from_16(line) else line[17:21].strip()


def _resname_from_16(line: str) -> bool:
    """Whether a residue name begins in the column of the alternate location."""
    if line[16:17] == " " or line[19:20].strip():
        return False
    return standard_name(line[17:21].strip()) is None and standard_name(line[16:20].strip()) is not None


def _resid(file: InputFile, line: str) -> int:
    """Residue number: decimal, one column too wide, or hybrid-36."""
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
