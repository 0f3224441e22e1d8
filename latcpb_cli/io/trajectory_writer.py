"""XTC, TRR and DCD files through the low-level writers of MDAnalysis (layer 2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from MDAnalysis.lib.formats.libdcd import DCDFile
from MDAnalysis.lib.formats.libmdaxdr import TRRFile, XTCFile
from MDAnalysis.units import convert

from latcpb_cli.chem.naming import Naming
from latcpb_cli.io.frames import Stamp
from latcpb_cli.io.pdb_writer import PdbFormatter, PdbOut
from latcpb_cli.structure import AtomTopology, box_vectors

__all__ = ["TrajectoryOut"]

_NM_PER_ANGSTROM = 0.1
_XTC_PRECISION = 1000.0
_DCD_TICKS = 1000  # DCD counts whole steps: so many per frame let the first time be any
"""Steps per nm: coordinates are rounded to 0.01 Å."""


class TrajectoryOut:
    """A trajectory with its topology beside it.

    Parameters
    ----------
    path, topology_path : pathlib.Path
    suffix : str
        ``.xtc``, ``.trr`` or ``.dcd``.
    topology : AtomTopology
    interval : float
        Time between written frames in ps; DCD keeps it once for all frames.
    remarks : sequence of str
    naming : {'pdb', 'charmm', 'amber'}
        Both for the topology, whose disulfides are those of the first frame.
    """

    def __init__(
        self,
        path: Path,
        topology_path: Path,
        suffix: str,
        topology: AtomTopology,
        interval: float,
        remarks: Sequence[str] = (),
        naming: Naming = "pdb",
    ) -> None:
        self._suffix, self._interval, self._n_atoms = suffix, interval, len(topology)
        self._file: Any = {".xtc": XTCFile, ".trr": TRRFile, ".dcd": DCDFile}[suffix](str(path), "w")
        self._topology = PdbOut(topology_path, topology, multi_model=False, remarks=remarks, naming=naming)
        self._first = True

    def write(self, positions: np.ndarray, bfactors: np.ndarray | None, stamp: Stamp) -> None:
        """Append one frame; B factors have no place in these formats."""
        if self._first:
            self._write_head(positions, stamp)
            self._first = False
        if self._suffix == ".dcd":
            self._file.write(positions.astype(np.float32), _dcd_cell(stamp.box))
            return
        nm = (positions * _NM_PER_ANGSTROM).astype(np.float32)
        vectors = (box_vectors(stamp.box[None])[0] * _NM_PER_ANGSTROM).astype(np.float32)
        if self._suffix == ".xtc":
            self._file.write(nm, vectors, stamp.frame, stamp.time, _XTC_PRECISION)
        else:
            self._file.write(nm, None, None, vectors, stamp.frame, stamp.time, 0.0, self._n_atoms)

    def finish(self) -> None:
        """End the topology."""
        self._topology.finish()

    def close(self) -> None:
        """Close both files."""
        self._file.close()
        self._topology.close()

    def _write_head(self, positions: np.ndarray, stamp: Stamp) -> None:
        """Write the first frame as PDB: moved to the middle, or all zeros, where it would not fit."""
        shown = positions
        if not PdbFormatter.fits(shown):
            shown = positions - positions.mean(axis=0)
        if not PdbFormatter.fits(shown):
            shown = np.zeros_like(positions)
        self._topology.write(shown, None, stamp)
        if self._suffix == ".dcd":
            self._file.write_header(
                remarks="written by latcpb",
                natoms=self._n_atoms,
                istart=round(_DCD_TICKS * stamp.time / self._interval),
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
