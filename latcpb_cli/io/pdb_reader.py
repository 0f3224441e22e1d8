"""PDB files, with one or many frames (layer 2).

Read here rather than through MDAnalysis because three things that users'
files rely on get lost there: TER records as chain ends, frames that are
separated by END instead of MODEL, and residue numbers that fall by thousands
where a new chain starts (MDAnalysis takes that for a wrapped counter).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.errors import InputError
from latcpb_cli.io.atoms import AtomTable
from latcpb_cli.io.frames import Frame, clean_box

__all__ = ["PdbFile"]

_ATOM = (b"ATOM  ", b"HETATM")
_TIME = re.compile(rb"\bTIME\s+(\S+)\s+PS\b|\bt=\s*(\S+)")


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
    path : pathlib.Path

    Raises
    ------
    InputError
        If the file has no atoms, or frames with different numbers of atoms.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        spans = _scan(path)
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
                rows.append((line.decode("ascii", "replace"), part))
            elif line[:3] == b"TER":
                part += 1
        return _table(self.path, rows)

    def read(self, index: int) -> Frame:
        """Read one frame; a time that the file does not give is its number."""
        span = self._spans[index]
        lines = [line for line in self._lines(index) if line[:6] in _ATOM]
        fields = [(line[30:38], line[38:46], line[46:54]) for line in lines]
        try:
            positions = np.array(fields, dtype="S8").astype(np.float32)
        except ValueError:
            raise self._bad_number(span) from None
        time = float(index) if span.time is None else span.time
        return Frame(positions, time, clean_box(span.box))

    def _lines(self, index: int) -> list[bytes]:
        span = self._spans[index]
        with self.path.open("rb") as handle:
            handle.seek(span.start)
            return handle.read(span.stop - span.start).splitlines()

    def _bad_number(self, span: _Span) -> InputError:
        """Name the line that could not be read."""
        with self.path.open("rb") as handle:
            handle.seek(span.start)
            wrong = (number for number, line in enumerate(handle, span.first_line) if not _sound(line))
            where = next(wrong)
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
            return False
    return True


def _scan(path: Path) -> list[_Span]:
    """Find the frames of a PDB file in one pass, holding one line at a time."""
    spans: list[_Span] = []
    span, box, offset = _Span(), None, 0
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
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
        _refuse_half_line(path, number, line)
        spans.append(span)
    return spans


def _refuse_half_line(path: Path, number: int, line: bytes) -> None:
    """Refuse a file whose last line breaks off within an atom."""
    if not line.endswith(b"\n") and len(line) < 54 and not line.startswith((b"END", b"TER")):
        raise InputError(f"{path}: cut short in line {number}", "the file is truncated; copy it again")


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


def _table(path: Path, rows: list[tuple[str, int]]) -> AtomTable:
    segments = np.array([line[72:76].strip() for line, _ in rows])
    chain_ids = np.array([line[21:22].strip() for line, _ in rows])
    parts = np.array([part for _, part in rows], dtype=np.int64)
    # A change of segment ends a chain too; many CHARMM files have nothing else.
    parts[1:] += np.cumsum(segments[1:] != segments[:-1])
    resids = np.array([_resid(path, line) for line, _ in rows], dtype=np.int64)
    _unwrap_resids(resids, chain_ids, parts)
    return AtomTable(
        names=np.array([line[12:16].strip() for line, _ in rows]),
        resnames=np.array([line[17:21].strip() for line, _ in rows]),
        resids=resids,
        icodes=np.array([line[26:27].strip().strip("0123456789") for line, _ in rows]),
        altlocs=np.array([line[16:17].strip() for line, _ in rows]),
        chain_ids=chain_ids,
        parts=parts,
    )


def _resid(path: Path, line: str) -> int:
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
            f"{path}: '{text}' is not a residue number (columns 23-26)", "number the residues of the file"
        ) from None
    upper = text[0].isupper()
    return value - 10 * 36**3 + 10**4 if upper else value + 16 * 36**3 + 10**4


def _unwrap_resids(resids: np.ndarray, chain_ids: np.ndarray, parts: np.ndarray) -> None:
    """Count on where a chain passes 9999 and the four columns start again (in place)."""
    wraps = (resids[:-1] == 9999) & (resids[1:] <= 1) & (resids[1:] >= 0)
    wraps &= (chain_ids[1:] == chain_ids[:-1]) & (parts[1:] == parts[:-1])
    for at in np.flatnonzero(wraps):
        same = (chain_ids[at + 1 :] == chain_ids[at]) & (parts[at + 1 :] == parts[at])
        resids[at + 1 :][same] += 10_000
