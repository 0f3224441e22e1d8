"""XTC, TRR and DCD files through the low-level writers of MDAnalysis."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from jaxtyping import Float

from latcpb_cli.errors import OutputError, first_line
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.io.writers.cif import CifWriter
from latcpb_cli.io.writers.frame_writer import FrameInfo, FrameWriter, OutputSpec, ResumePoint
from latcpb_cli.io.writers.part_file import PartFile
from latcpb_cli.io.writers.pdb import PdbFormatter, PdbWriter
from latcpb_cli.io.writers.topology_bfactors import TopologyBFactors
from latcpb_cli.structure import AtomTopology

__all__ = ["DCD_FRAME_COUNT", "TrajectoryWriter"]

_NM_PER_ANGSTROM = 0.1
_XTC_PRECISION = 1000.0
"""Steps per nm: coordinates are rounded to 0.01 Å."""
_DCD_STEPS_PER_FRAME = 1000
"""DCD counts time in whole steps; with so many per frame the first time can be any."""
DCD_FRAME_COUNT = slice(8, 12)
"""Bytes of a DCD header that hold the number of frames."""
_DCD_CELL_BYTES = 56
"""A unit cell of six doubles between two record markers."""


class TrajectoryWriter:
    """A trajectory with its topology file beside it.

    The writers of MDAnalysis cannot append to a file. They write into a
    scratch file, which `flush` appends to the part file: frames of XTC and TRR
    are independent of each other, and of DCD only the first header is kept.

    Parameters
    ----------
    part : PartFile
        The trajectory; the suffix of its final name decides on the format.
    topology_part : PartFile
        PDB file with the first frame, and its disulfides.
    topology : AtomTopology
    spec : OutputSpec
        DCD keeps one interval between written structures for the whole file.
    resume : ResumePoint, optional
        What the files hold already.
    bfactors : TopologyBFactors, optional
        Of the topology; zeros without it.
    """

    def __init__(
        self,
        part: PartFile,
        topology_part: PartFile,
        topology: AtomTopology,
        spec: OutputSpec,
        resume: ResumePoint | None = None,
        bfactors: TopologyBFactors | None = None,
    ) -> None:
        self._bfactors = bfactors
        self._part, self._suffix = part, part.final.suffix.lower()
        self._interval = spec.interval / spec.n_samples
        self._n_atoms = len(topology)
        self._n_written = 0 if resume is None else resume.n_structures
        self._n_buffered = 0
        one_frame = replace(spec, n_frames=1, n_samples=1)
        self._topology: FrameWriter
        if spec.topology == "cif":
            self._topology = CifWriter(topology_part, topology, one_frame, resume)
        else:
            self._topology = PdbWriter(topology_part, topology, one_frame, resume)
        self._folder = TemporaryDirectory(prefix="latcpb-")
        self._scratch = Path(self._folder.name) / f"frames{self._suffix}"
        self._file: Any = None

    def write(
        self, positions: Float[np.ndarray, "N 3"], bfactors: Float[np.ndarray, "N"] | None, info: FrameInfo
    ) -> None:
        """Append one frame; these formats cannot hold B factors, of which the topology gets the means."""
        if self._bfactors is not None and bfactors is not None:
            self._bfactors.mean.add(bfactors)
        if self._n_written + self._n_buffered == 0:
            self._write_topology(positions, info)
        try:
            self._write_frame(positions, info)
        except OSError as error:
            raise OutputError(
                f"{self._scratch}: {first_line(error)}", "is the temporary folder full?"
            ) from error
        self._n_buffered += 1

    def flush(self) -> None:
        """Append the frames of the scratch file to the part file."""
        if self._bfactors is not None:
            self._bfactors.mean.flush()
        if self._file is None:
            return
        self._file.close()
        self._file = None
        data = self._scratch.read_bytes()
        self._n_written += self._n_buffered
        if self._suffix == ".dcd":
            frame_bytes = _DCD_CELL_BYTES + 3 * (4 * self._n_atoms + 8)
            header_bytes = len(data) - self._n_buffered * frame_bytes
            self._part.write(data[header_bytes:] if self._part.size else data)
            self._part.patch(DCD_FRAME_COUNT.start, struct.pack("=i", self._n_written))
        else:
            self._part.write(data)
        self._n_buffered = 0

    def finish(self) -> None:
        """Write what is buffered and complete the topology."""
        self.flush()
        self._topology.finish()
        if self._bfactors is not None:
            self._bfactors.fill()

    def close(self) -> None:
        """Remove the scratch file."""
        if self._file is not None:
            self._file.close()
        self._folder.cleanup()

    def _write_frame(self, positions: Float[np.ndarray, "N 3"], info: FrameInfo) -> None:
        if self._file is None:
            self._file = _open_scratch(self._scratch)
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

    def _write_topology(self, positions: Float[np.ndarray, "N 3"], info: FrameInfo) -> None:
        """Write the first frame: centred, or all zeros, where it does not fit into the columns of PDB."""
        fitting = positions
        if not PdbFormatter.fits(fitting):
            fitting = positions - positions.mean(axis=0)
        if not PdbFormatter.fits(fitting):
            fitting = np.zeros_like(positions)
        self._topology.write(fitting, None, info)

    def _write_dcd_header(self, info: FrameInfo) -> None:
        """Write a header whose first step is the time of this frame; `flush` keeps only the first header."""
        from MDAnalysis.units import convert

        self._file.write_header(
            remarks="written by latcpb",
            natoms=self._n_atoms,
            istart=0 if self._part.size else round(_DCD_STEPS_PER_FRAME * info.time / self._interval),
            nsavc=_DCD_STEPS_PER_FRAME,
            delta=convert(self._interval / _DCD_STEPS_PER_FRAME, "ps", "AKMA"),
            is_periodic=1,
        )


def _open_scratch(path: Path) -> Any:
    """Open a file of the format of its suffix; outputs of other formats do not need MDAnalysis."""
    from MDAnalysis.lib.formats.libdcd import DCDFile
    from MDAnalysis.lib.formats.libmdaxdr import TRRFile, XTCFile

    return {".xtc": XTCFile, ".trr": TRRFile, ".dcd": DCDFile}[path.suffix](str(path), "w")


def _dcd_cell(box: Float[np.ndarray, "6"]) -> Float[np.ndarray, "6"]:
    """Put the unit cell in the order, and with the cosines, that NAMD and VMD use."""
    if not box[:3].any():
        return np.zeros(6)
    a, b, c, alpha, beta, gamma = box.astype(np.float64)
    # sin(90° - x) is exactly 0 at right angles, cos(x) is not.
    cosines = np.sin(np.deg2rad(90.0 - np.array([gamma, beta, alpha])))
    return np.array([a, cosines[0], b, cosines[1], cosines[2], c])
