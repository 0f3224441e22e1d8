"""DCD, NetCDF and rarer formats through MDAnalysis, without its warnings and guesses."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import MDAnalysis
import numpy as np
from jaxtyping import Float64

from latcpb_cli.errors import InputError, LatcpbError, first_line
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile, check_atom_count
from latcpb_cli.io.readers.suppress_warnings import suppress_warnings

__all__ = ["MdaFile", "damaged_as_input_error", "mda_format"]

_FORMATS = {".ncdf": "NC", ".rst7": "INPCRD", ".lmp": "DATA", ".namdbin": "COOR"}
"""Names that MDAnalysis has for formats, where they differ from the suffix."""
_BYTES_PER_ATOM = {".dcd": 12, ".nc": 12, ".ncdf": 12, ".coor": 24}
"""Least number of bytes that an atom takes."""
_COUNT_FROM_TOPOLOGY = ("DATA", "CRD", "MOL2", "PQR", "PDBQT", "DMS", "XYZ", "TPR")
"""Formats whose reader takes the number of atoms as an argument, or reads it itself."""


def mda_format(suffix: str) -> str:
    """Return the name that MDAnalysis has for the format of a suffix."""
    return _FORMATS.get(suffix, suffix[1:].upper())


class MdaFile:
    """The frames of a file that MDAnalysis reads.

    Parameters
    ----------
    file : InputFile
    n_atoms : int or None
        Atoms of the topology, for formats that do not hold their number.
    **options
        For the reader of MDAnalysis, such as the atom style of a LAMMPS DATA file.

    Raises
    ------
    InputError
        If the file cannot be read in the format of its suffix.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, file: InputFile, n_atoms: int | None = None, **options: Any) -> None:
        self.path, self._file = file.path, file
        suffix, name = file.suffix, str(file.readable)
        reader = MDAnalysis._READERS[mda_format(suffix)]
        if suffix == ".dcd":
            _check_dcd_header(file)
        with suppress_warnings(), damaged_as_input_error(file.path):
            if mda_format(suffix) in _COUNT_FROM_TOPOLOGY:
                options["n_atoms"] = n_atoms
            else:
                # Fails cleanly; a constructor that fails causes another message when the reader is deleted.
                check_atom_count(file, int(reader.parse_n_atoms(name)), _BYTES_PER_ATOM.get(suffix, 1))
            self._reader: Any = reader(name, **options)
            self.n_atoms = int(self._reader.n_atoms)
            self.n_frames = int(self._reader.n_frames)
        self.truncated = suffix == ".dcd" and _dcd_truncated(file, self.n_atoms, self.n_frames)

    def read(self, index: int) -> Frame:
        """Read one frame."""
        with suppress_warnings(), damaged_as_input_error(f"{self.path}: frame {index}"):
            step = self._reader[index]
            time = float(step.time)
            box = clean_box(step.dimensions)
            return Frame(step.positions.copy(), time if np.isfinite(time) else float(index), box)

    def read_times(self) -> Float64[np.ndarray, "F"] | None:
        """Read the times of DCD files, whose frames are evenly spaced, and of NetCDF; None for others."""
        if self._file.suffix == ".dcd":
            ends = self.read(0).time, self.read(self.n_frames - 1).time
            return np.linspace(*ends, self.n_frames)
        variables = getattr(getattr(self._reader, "trjfile", None), "variables", {})
        if "time" not in variables:
            return None
        with suppress_warnings(), damaged_as_input_error(self.path):
            return np.array(variables["time"][: self.n_frames], dtype=np.float64)


def _check_dcd_header(file: InputFile) -> None:
    """Raise where numbers in the header would have MDAnalysis read beyond the end of the file."""
    with file.readable.open("rb") as handle:
        head = handle.read(100)
        order = "<" if head[:4] == struct.pack("<i", 84) else ">"
        try:
            (title,) = struct.unpack(f"{order}i", head[92:96])
            if head[4:8] not in (b"CORD", b"VELD") or not 0 <= title <= file.size - 100:
                raise struct.error
            handle.seek(92 + title + 8 + 4)
            (n_atoms,) = struct.unpack(f"{order}i", handle.read(4))
        except struct.error:
            raise InputError(
                f"{file.path} cannot be read (no DCD header)",
                "the file is truncated, damaged, or of another format than its suffix",
            ) from None
    check_atom_count(file, n_atoms, _BYTES_PER_ATOM[".dcd"])


def _dcd_truncated(file: InputFile, n_atoms: int, n_frames: int) -> bool:
    """Return whether a DCD file ends within a frame or before its last one.

    The number of frames in the header alone is not reliable: programs that
    never update it leave 0 there.
    """
    with file.readable.open("rb") as handle:
        head = handle.read(100)
    order = "<" if head[:4] == struct.pack("<i", 84) else ">"
    counters = struct.unpack(f"{order}20i", head[8:88])
    n_announced, n_fixed, has_cell = counters[0], counters[8], counters[10]
    (title,) = struct.unpack(f"{order}i", head[92:96])
    if n_fixed:
        return bool(n_announced > n_frames)
    header = 92 + (title + 8) + 12
    frame = 3 * (4 * n_atoms + 8) + (56 if has_cell else 0)
    rest = file.size - header - n_frames * frame
    # A few spare bytes are padding that some programs write, not a part of a frame.
    return bool(n_announced > n_frames or rest >= 4 * n_atoms)


@contextmanager
def damaged_as_input_error(what: Path | str) -> Iterator[None]:
    """Turn whatever another library raises on a damaged file into an `InputError`."""
    try:
        yield
    except LatcpbError:
        raise
    except Exception as error:
        raise InputError(
            f"{what} cannot be read ({first_line(error)})",
            "the file is truncated, damaged, or of another format than its suffix",
        ) from error
