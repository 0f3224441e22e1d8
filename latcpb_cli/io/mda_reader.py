"""GRO, XTC, TRR, DCD and NetCDF files through MDAnalysis (layer 2).

MDAnalysis is kept quiet, is not asked to guess anything, and leaves no
offset or lock files beside the input.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import MDAnalysis
import numpy as np
from MDAnalysis.coordinates.base import ProtoReader
from MDAnalysis.coordinates.DCD import DCDReader
from MDAnalysis.coordinates.GRO import GROReader
from MDAnalysis.coordinates.TRJ import NCDFReader
from MDAnalysis.coordinates.TRR import TRRReader
from MDAnalysis.coordinates.XTC import XTCReader

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.atoms import AtomTable
from latcpb_cli.io.frames import Frame, clean_box

__all__ = ["MdaFile", "read_atoms", "select_atoms"]

_READ_ERRORS = (OSError, EOFError, StopIteration, ValueError, IndexError, TypeError, RuntimeError)
"""What MDAnalysis raises on damaged files (an UnboundLocalError is a NameError)."""


class _QuietXTC(XTCReader):
    """An XTC reader that keeps its frame offsets in memory."""

    def _load_offsets(self) -> None:
        pass

    def _read_offsets(self, store: bool = False) -> None:
        pass


class _QuietTRR(TRRReader):
    """A TRR reader that keeps its frame offsets in memory."""

    def _load_offsets(self) -> None:
        pass

    def _read_offsets(self, store: bool = False) -> None:
        pass


_READERS: dict[str, type[ProtoReader]] = {
    ".gro": GROReader,
    ".xtc": _QuietXTC,
    ".trr": _QuietTRR,
    ".dcd": DCDReader,
    ".nc": NCDFReader,
}


class MdaFile:
    """The frames of a file that MDAnalysis reads.

    Parameters
    ----------
    path : pathlib.Path
        With a suffix out of ``.gro .xtc .trr .dcd .nc``.

    Raises
    ------
    InputError
        If the file cannot be read as what its suffix says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        suffix = path.suffix.lower()
        reader = _READERS[suffix]
        with _quiet(), _damaged_as_input_error(path):
            if suffix != ".gro":
                # Fails cleanly; a reader that fails half made complains once more when it is deleted.
                reader.parse_n_atoms(str(path))
            self._reader = reader(str(path))
        self.n_atoms = int(self._reader.n_atoms)
        self.n_frames = int(self._reader.n_frames)
        self.truncated = False
        if suffix in (".xtc", ".trr"):
            self._check_last_frame()
        elif suffix == ".dcd":
            self.truncated = _dcd_truncated(path, self.n_atoms, self.n_frames)

    def read(self, index: int) -> Frame:
        """Read one frame."""
        what = f"{self.path}: frame {index}"
        with _quiet(), _damaged_as_input_error(what):
            step = self._reader[index]
            return Frame(step.positions.copy(), float(step.time), clean_box(step.dimensions))

    def _check_last_frame(self) -> None:
        """Read the last frame once: the offsets of a cut file count a frame that is not whole."""
        try:
            with _quiet():
                self._reader[self.n_frames - 1]
            rest = self.path.stat().st_size - self._reader._xdr._bytes_tell()
            self.truncated = rest > 0
        except _READ_ERRORS:
            self.n_frames -= 1
            self.truncated = True


def _dcd_truncated(path: Path, n_atoms: int, n_frames: int) -> bool:
    """Tell whether a DCD file ends within a frame or before its last one.

    The number of frames in the header is not trusted alone: programs that
    never update it leave 0 there.
    """
    with path.open("rb") as handle:
        head = handle.read(100)
    order = "<" if head[:4] == struct.pack("<i", 84) else ">"
    counters = struct.unpack(f"{order}20i", head[8:88])
    announced, n_fixed, has_cell = counters[0], counters[8], counters[10]
    (title,) = struct.unpack(f"{order}i", head[92:96])
    if n_fixed:
        return announced > n_frames
    header = 92 + (title + 8) + 12
    frame = 3 * (4 * n_atoms + 8) + (56 if has_cell else 0)
    rest = path.stat().st_size - header - n_frames * frame
    # A few spare bytes are padding of some program, not half a frame.
    return announced > n_frames or rest >= 4 * n_atoms


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _damaged_as_input_error(what: Path | str) -> Iterator[None]:
    try:
        yield
    except (*_READ_ERRORS, NameError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{what} cannot be read ({reason})",
            "the file is truncated, damaged, or of another format than its suffix says",
        ) from error


def read_atoms(path: Path) -> AtomTable:
    """Read the atoms of a structure file.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    AtomTable
    """
    with _quiet(), _damaged_as_input_error(path):
        atoms = MDAnalysis.Universe(str(path), to_guess=()).atoms
        return AtomTable(
            names=atoms.names.astype(str),
            resnames=atoms.resnames.astype(str),
            resids=atoms.resids.astype(np.int64),
            icodes=np.full(len(atoms), ""),
            altlocs=np.full(len(atoms), ""),
            chain_ids=np.full(len(atoms), ""),
            parts=np.zeros(len(atoms), dtype=np.int64),
        )


def select_atoms(table: AtomTable, positions: np.ndarray, selection: str) -> np.ndarray:
    """Apply a selection in the language of MDAnalysis.

    Parameters
    ----------
    table : AtomTable
    positions : numpy.ndarray, shape (N, 3)
        In Å, for geometric selections.
    selection : str

    Returns
    -------
    numpy.ndarray of int64
        Rows that are selected, in file order.
    """
    residue = table.residue_index()
    first = np.unique(residue, return_index=True)[1]
    segments, segment = np.unique(table.chain_ids[first], return_inverse=True)
    universe = MDAnalysis.Universe.empty(
        len(table),
        n_residues=len(first),
        n_segments=len(segments),
        atom_resindex=residue,
        residue_segindex=segment,
        trajectory=True,
    )
    for attribute, values in (
        ("names", table.names),
        ("chainIDs", table.chain_ids),
        ("altLocs", table.altlocs),
        ("resnames", table.resnames[first]),
        ("resids", table.resids[first]),
        ("icodes", table.icodes[first]),
        ("segids", segments),
    ):
        universe.add_TopologyAttr(attribute, values.astype(object) if values.dtype.kind == "U" else values)
    universe.atoms.positions = positions
    try:
        with _quiet():
            return np.asarray(universe.select_atoms(selection).indices)
    except (ValueError, AttributeError, TypeError, MDAnalysis.exceptions.SelectionError) as error:
        raise UsageError(
            f"--selection '{selection}' is not understood ({str(error).splitlines()[0]})",
            "see https://userguide.mdanalysis.org/stable/selections.html",
        ) from None
