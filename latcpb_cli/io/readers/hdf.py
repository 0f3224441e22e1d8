"""Trajectories in HDF5: H5MD, and the format of MDTraj."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
from MDAnalysis.lib.mdamath import triclinic_box

from latcpb_cli.errors import InputError, first_line
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile
from latcpb_cli.io.readers.optional import optional

__all__ = ["HdfFile"]

_TO_ANGSTROM = {"nm": 10.0, "nanometer": 10.0, "nanometers": 10.0, "pm": 0.01, "m": 1e10}
_TO_PS = {"fs": 1e-3, "ns": 1e3, "us": 1e6, "s": 1e12}
_MOST_ATOMS, _MOST_RATIO = 20_000_000, 200
"""HDF5 files compress what they hold, but not that much."""
_LOOK_THROUGH = """
import sys, h5py
def look(name, item):
    dict(item.attrs)
    if isinstance(item, h5py.Dataset) and item.dtype.kind == "O" and item.size < 1000:
        item[()]
with h5py.File(sys.argv[1], "r") as file:
    dict(file.attrs)
    file.visititems(look)
"""
_SECONDS = 60


class HdfFile:
    """An HDF5 trajectory; one of MDTraj names its atoms, too.

    Raises
    ------
    InputError
        If the file is no HDF5, or of neither kind.
    """

    truncated = False

    def __init__(self, file: InputFile) -> None:
        self.path, self._size = file.path, file.size
        h5py = optional("h5py", file.path)
        self._look_through(file)
        try:
            self._file = h5py.File(file.readable, "r")
            self._mdtraj = "coordinates" in self._file and "topology" in self._file
            self._find(h5py)
            n_frames, n_atoms, axes = self._positions.shape
            for data in (self._positions, self._times, *self._cell):
                self._refuse_large_chunks(data, file.size)
        except InputError:
            raise
        except Exception as error:  # whatever the library makes of a damaged file
            raise self._damaged(error) from None
        too_many = n_atoms > _MOST_ATOMS or 12 * n_frames * n_atoms > _MOST_RATIO * file.size
        if axes != 3 or n_atoms < 1 or n_frames < 1 or too_many:
            raise InputError(
                f"{self.path}: positions of shape {self._positions.shape}", "the file is damaged, or empty"
            )
        self.n_frames, self.n_atoms = int(n_frames), int(n_atoms)

    @property
    def names_atoms(self) -> bool:
        """Whether `atoms` is possible."""
        return self._mdtraj

    def atoms(self) -> AtomTable:
        """List the atoms that MDTraj wrote down."""
        try:
            texts = self._file["topology"]
            if texts.dtype.itemsize * texts.size > _MOST_RATIO * self._size:
                raise ValueError("texts larger than the file")
            raw = texts[0]
            topology = json.loads(raw.decode() if isinstance(raw, bytes) else str(raw))
            rows = [
                (str(atom["name"]), str(residue["name"]), int(residue["resSeq"]), number)
                for number, chain in enumerate(topology["chains"])
                for residue in chain["residues"]
                for atom in residue["atoms"]
            ]
            names, resnames, resids, parts = zip(*rows, strict=True)
        except Exception as error:
            raise self._damaged(error) from None
        blank = np.full(len(rows), "")
        numbers = np.array(resids, dtype=np.int64)
        return AtomTable(np.array(names), np.array(resnames), numbers, blank, blank, blank, np.array(parts))

    def read(self, index: int) -> Frame:
        """Read one frame."""
        try:
            positions = np.asarray(self._positions[index], dtype=np.float64) * self._scale
            box = self._box(index)
            time = float(index) if self._times is None else float(self._times[index]) * self._ps
        except Exception as error:
            raise self._damaged(error) from None
        return Frame(positions.astype(np.float32), time, clean_box(box))

    def _look_through(self, file: InputFile) -> None:
        """Read all texts of the file in a process of its own: damaged ones can keep HDF5 busy for ever."""
        command = [sys.executable, "-c", _LOOK_THROUGH, str(file.readable)]
        paths = os.pathsep.join(filter(None, sys.path))
        try:
            done = subprocess.run(
                command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise self._damaged(TimeoutError(f"not read in {_SECONDS} s")) from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise self._damaged(ValueError(said[-1] if said else f"signal {-done.returncode}"))

    def _refuse_large_chunks(self, data: Any, size: int) -> None:
        """HDF5 makes room for a whole chunk to read one number of it."""
        if data is not None and data.chunks is not None:
            n_bytes = data.dtype.itemsize * int(np.prod(data.chunks, dtype=np.float64))
            if n_bytes > _MOST_RATIO * size:
                raise self._damaged(ValueError(f"chunks of {n_bytes:,} bytes"))

    def _find(self, h5py: Any) -> None:
        """Find positions, times and boxes in this file; links to other files are not followed."""
        file = self._file
        if self._mdtraj:
            self._positions, self._times = file["coordinates"], file.get("time")
            self._cell, self._steady_box = (file.get("cell_lengths"), file.get("cell_angles")), False
            self._scale, self._ps = 10.0, 1.0
        else:
            groups = file["particles"] if "particles" in file else {}
            group = next((groups[name] for name in groups if "position" in groups[name]), None)
            if group is None:
                raise InputError(
                    f"{self.path}: neither H5MD nor MDTraj: no particles in it", "write it as .xtc or .dcd"
                )
            position = group["position"]
            self._positions, self._times = position["value"], position.get("time")
            self._steady_box = "box/edges/value" not in group
            self._cell = group.get("box/edges" if self._steady_box else "box/edges/value"), None
            self._scale = _TO_ANGSTROM.get(_unit(self._positions), 1.0)
            self._ps = 1.0 if self._times is None else _TO_PS.get(_unit(self._times), 1.0)
        if not isinstance(self._positions, h5py.Dataset) or self._positions.file != file:
            raise InputError(f"{self.path}: its positions are no data of this file", "write the file again")
        if self._times is not None and self._times.shape != self._positions.shape[:1]:
            self._times = None

    def _box(self, index: int) -> np.ndarray | None:
        edges, angles = self._cell
        if edges is None:
            return None
        edge = np.asarray(edges[()] if self._steady_box else edges[index], dtype=np.float64) * self._scale
        if edge.shape == (3, 3):
            return np.asarray(triclinic_box(*edge))
        turn = np.full(3, 90.0) if angles is None else np.asarray(angles[index], dtype=np.float64)
        return np.concatenate([edge, turn]) if edge.shape == (3,) else None

    def _damaged(self, error: Exception) -> InputError:
        return InputError(
            f"{self.path}: cannot be read as HDF5 ({first_line(error)})", "the file is truncated or damaged"
        )


def _unit(dataset: Any) -> str:
    unit = dataset.attrs.get("unit", "")
    return unit.decode("utf-8", "replace") if isinstance(unit, bytes) else str(unit)
