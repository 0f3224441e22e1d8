"""XTC, TRR and DCD files through the low-level writers of MDAnalysis."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from MDAnalysis.lib.formats.libdcd import DCDFile
from MDAnalysis.lib.formats.libmdaxdr import TRRFile, XTCFile
from MDAnalysis.units import convert

from latcpb_cli.chem.naming import Naming
from latcpb_cli.errors import OutputError, first_line
from latcpb_cli.io.writers.frame_writer import FrameInfo, ResumePoint
from latcpb_cli.io.writers.part_file import PartFile
from latcpb_cli.io.writers.pdb import PdbFormatter, PdbWriter
from latcpb_cli.structure import AtomTopology, box_vectors

__all__ = ["TrajectoryWriter"]

_NM_PER_ANGSTROM = 0.1
_XTC_PRECISION = 1000.0
"""Steps per nm: coordinates are rounded to 0.01 Å."""
_DCD_TICKS = 1000
"""DCD counts whole steps: so many per frame let the first time be any."""
_DCD_COUNT = 8
"""Where a DCD file tells how many frames it holds."""


class TrajectoryWriter:
    """A trajectory with its topology beside it.

    The writers of MDAnalysis cannot append. They write into a scratch file, which `flush` appends to the
    part: frames of XTC and TRR stand for themselves, and of DCD the header is kept once.

    Parameters
    ----------
    part, topology_part : PartFile
    suffix : str
        ``.xtc``, ``.trr`` or ``.dcd``.
    topology : AtomTopology
    interval : float
        Time between written frames in ps; DCD keeps it once for all frames.
    remarks : sequence of str
        For the topology.
    naming : {'pdb', 'charmm', 'amber'}
        For the topology, whose disulfides are those of the first frame.
    resume : ResumePoint, optional
        What the files hold already.
    """

    def __init__(
        self,
        part: PartFile,
        topology_part: PartFile,
        suffix: str,
        topology: AtomTopology,
        interval: float,
        remarks: Sequence[str] = (),
        naming: Naming = "pdb",
        resume: ResumePoint | None = None,
    ) -> None:
        self._part, self._suffix, self._interval = part, suffix, interval
        self._n_atoms, self._frames = len(topology), 0 if resume is None else resume.structures
        self._topology = PdbWriter(topology_part, topology, False, remarks, naming, resume)
        self._folder = TemporaryDirectory(prefix="latcpb-")
        self._scratch = Path(self._folder.name) / f"frames{suffix}"
        self._file: Any = None
        self._held = 0

    def write(self, positions: np.ndarray, bfactors: np.ndarray | None, info: FrameInfo) -> None:
        """Append one frame; B factors have no place in these formats."""
        if self._frames + self._held == 0:
            self._write_topology(positions, info)
        try:
            self._write_frame(positions, info)
        except OSError as error:
            raise OutputError(
                f"{self._scratch}: {first_line(error)}", "is the temporary folder full?"
            ) from error
        self._held += 1

    def flush(self) -> None:
        """Append the frames of the scratch file to the part."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        data = self._scratch.read_bytes()
        self._frames += self._held
        if self._suffix == ".dcd":
            head = len(data) - self._held * (56 + 3 * (4 * self._n_atoms + 8))
            self._part.write(data[head:] if self._part.size else data)
            self._part.patch(_DCD_COUNT, struct.pack("=i", self._frames))
        else:
            self._part.write(data)
        self._held = 0

    def finish(self) -> None:
        """End the topology."""
        self.flush()
        self._topology.finish()

    def close(self) -> None:
        """Remove the scratch file."""
        if self._file is not None:
            self._file.close()
        self._folder.cleanup()

    def _write_frame(self, positions: np.ndarray, info: FrameInfo) -> None:
        if self._file is None:
            self._file = {".xtc": XTCFile, ".trr": TRRFile, ".dcd": DCDFile}[self._suffix](
                str(self._scratch), "w"
            )
            if self._suffix == ".dcd":
                self._write_dcd_header(info)
        if self._suffix == ".dcd":
            self._file.write(positions.astype(np.float32), _dcd_cell(info.box))
            return
        nm = (positions * _NM_PER_ANGSTROM).astype(np.float32)
        vectors = (box_vectors(info.box[None])[0] * _NM_PER_ANGSTROM).astype(np.float32)
        if self._suffix == ".xtc":
            self._file.write(nm, vectors, info.frame, info.time, _XTC_PRECISION)
        else:
            self._file.write(nm, None, None, vectors, info.frame, info.time, 0.0, self._n_atoms)

    def _write_topology(self, positions: np.ndarray, info: FrameInfo) -> None:
        """Write the first frame as PDB: moved to the middle, or all zeros, where it would not fit."""
        shown = positions
        if not PdbFormatter.fits(shown):
            shown = positions - positions.mean(axis=0)
        if not PdbFormatter.fits(shown):
            shown = np.zeros_like(positions)
        self._topology.write(shown, None, info)

    def _write_dcd_header(self, info: FrameInfo) -> None:
        """Write the header; only the one before the first frame is kept, and counts from its time."""
        self._file.write_header(
            remarks="written by latcpb",
            natoms=self._n_atoms,
            istart=0 if self._part.size else round(_DCD_TICKS * info.time / self._interval),
            nsavc=_DCD_TICKS,
            delta=convert(self._interval / _DCD_TICKS, "ps", "AKMA"),
            is_periodic=1,
        )


def _dcd_cell(box: np.ndarray) -> np.ndarray:
    """Put the unit cell in the order and with the cosines that NAMD and VMD use."""
    if not box[:3].any():
        return np.zeros(6)
    a, b, c, alpha, beta, gamma = box.astype(np.float64)
    # sin(90° - x) is exactly 0 at right angles, cos(x) is not.
    cosines = np.sin(np.deg2rad(90.0 - np.array([gamma, beta, alpha])))
    return np.array([a, cosines[0], b, cosines[1], cosines[2], c])
