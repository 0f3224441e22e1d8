"""GSD files of HOOMD-blue.

Read through ``gsd`` itself: MDAnalysis takes rigid bodies for residues and
loses the tilt of boxes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from latcpb_cli.errors import InputError, first_line
from latcpb_cli.io.readers.atoms import AtomTable, segments_from_bonds
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile, check_atom_count
from latcpb_cli.io.readers.optional import import_optional

__all__ = ["GsdFile"]

_BYTES_PER_ATOM = 12


class GsdFile:
    """A GSD file as topology (`read_atoms`) and as frames (`read`).

    The names of particle types serve as residue names. GSD has no units:
    lengths are read as Å. It has no times either: the step number serves as
    time.

    Parameters
    ----------
    file : InputFile

    Raises
    ------
    InputError
        If the file is damaged, or the package gsd is not installed.
    """

    truncated, names_atoms = False, True
    notes: tuple[str, ...] = ()

    def __init__(self, file: InputFile) -> None:
        self.path = file.path
        hoomd = import_optional("gsd.hoomd", file.path)
        try:
            self._frames = hoomd.open(str(file.readable), "r")
            self.n_frames = len(self._frames)
            count = self._frames.file.read_chunk(frame=0, name="particles/N") if self.n_frames else [0]
            self.n_atoms = int(count[0])
        except Exception as error:  # the library raises various types on a damaged file
            raise self._damaged(error) from None
        if self.n_frames:
            check_atom_count(file, self.n_atoms, _BYTES_PER_ATOM)

    def read_atoms(self, index: int = 0) -> AtomTable:
        """List the particles of one frame."""
        frame = self._frame(index)
        try:
            types = np.array(frame.particles.types)[frame.particles.typeid].astype(str)
            bonds = np.asarray(frame.bonds.group, dtype=np.int64).reshape(-1, 2)
            segment_index = segments_from_bonds(bonds, self.n_atoms)
        except Exception as error:
            raise self._damaged(error) from None
        blank = np.full(self.n_atoms, "")
        resids = np.arange(1, self.n_atoms + 1)
        return AtomTable(blank, types, resids, blank, blank, blank, segment_index)

    def has_own_labels(self, index: int) -> bool:
        """Return whether a frame has particle types of its own; GSD stores them only where they differ."""
        names = ("particles/types", "particles/typeid")
        return index > 0 and any(self._frames.file.chunk_exists(index, name) for name in names)

    def read_times(self) -> Float64[np.ndarray, "F"] | None:
        """Return the step numbers of all frames; None where no frame has one."""
        file, name = self._frames.file, "configuration/step"
        try:
            steps = [
                file.read_chunk(index, name)[0] if file.chunk_exists(index, name) else 0
                for index in range(self.n_frames)
            ]
        except Exception as error:  # the library raises various types on a damaged file
            raise self._damaged(error) from None
        return np.array(steps, dtype=np.float64) if any(steps) else None

    def read(self, index: int) -> Frame:
        """Read one frame."""
        frame = self._frame(index)
        positions = np.array(frame.particles.position, dtype=np.float32)
        if positions.shape != (self.n_atoms, 3):
            raise InputError(
                f"{self.path}: frame {index} has {len(positions)} atoms, frame 0 has {self.n_atoms}",
                "every frame must hold the same particles",
            )
        box = frame.configuration.box
        return Frame(positions, float(frame.configuration.step or 0), clean_box(_dimensions(box)))

    def _frame(self, index: int) -> Any:
        try:
            return self._frames[index]
        except Exception as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> InputError:
        return InputError(
            f"{self.path}: cannot be read as GSD ({first_line(error)})", "the file is truncated or damaged"
        )


def _dimensions(box: Float[np.ndarray, "6"] | None) -> Float[np.ndarray, "6"] | None:
    if box is None:
        return None
    from MDAnalysis.lib.mdamath import triclinic_box

    x, y, z, xy, xz, yz = np.asarray(box, dtype=np.float64)
    return np.asarray(triclinic_box([x, 0, 0], [xy * y, y, 0], [xz * z, yz * z, z]))
