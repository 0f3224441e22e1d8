"""Trajectories in HDF5: H5MD, and the format of MDTraj."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
from jaxtyping import Float, Float64
from MDAnalysis.lib.mdamath import triclinic_box

from latcpb_cli.errors import InputError, first_line
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile
from latcpb_cli.io.readers.optional import import_optional

__all__ = ["HdfFile"]

_TO_ANGSTROM = {"nm": 10.0, "nanometer": 10.0, "nanometers": 10.0, "pm": 0.01, "m": 1e10}
_TO_PS = {"fs": 1e-3, "ns": 1e3, "us": 1e6, "s": 1e12}
_MAX_ATOMS, _MAX_RATIO = 20_000_000, 200
"""Bytes of data per byte of the file: HDF5 compresses, but not that much."""
_VALIDATION_SCRIPT = """
import sys, h5py
def visit(name, item):
    dict(item.attrs)
    if isinstance(item, h5py.Dataset) and item.dtype.kind == "O" and item.size < 1000:
        item[()]
with h5py.File(sys.argv[1], "r") as file:
    dict(file.attrs)
    file.visititems(visit)
"""
"""Reads all attributes and texts of a file."""
_TIMEOUT_SECONDS = 60


class HdfFile:
    """An HDF5 trajectory; files of MDTraj name their atoms, H5MD files do not.

    Parameters
    ----------
    file : InputFile

    Raises
    ------
    InputError
        If the file is not HDF5 or of neither format, or the package h5py is
        not installed.
    """

    truncated = False
    notes: tuple[str, ...] = ()

    def __init__(self, file: InputFile) -> None:
        self.path, self._size = file.path, file.size
        h5py = import_optional("h5py", file.path)
        self._validate(file)
        try:
            self._file = h5py.File(file.readable, "r")
            self.names_atoms = self._mdtraj = "coordinates" in self._file and "topology" in self._file
            self._find_datasets(h5py)
            n_frames, n_atoms, axes = self._positions.shape
            for data in (self._positions, self._times, *self._cell):
                self._check_chunk_size(data, file.size)
        except InputError:
            raise
        except Exception as error:  # the library raises various types on a damaged file
            raise self._damaged(error) from None
        too_many = n_atoms > _MAX_ATOMS or 12 * n_frames * n_atoms > _MAX_RATIO * file.size
        if axes != 3 or n_atoms < 1 or n_frames < 1 or too_many:
            raise InputError(
                f"{self.path}: positions of shape {self._positions.shape}", "the file is damaged, or empty"
            )
        self.n_frames, self.n_atoms = int(n_frames), int(n_atoms)

    def read_atoms(self, index: int = 0) -> AtomTable:
        """List the atoms of the topology that MDTraj has stored: one for all frames."""
        try:
            texts = self._file["topology"]
            if texts.dtype.itemsize * texts.size > _MAX_RATIO * self._size:
                raise ValueError("texts larger than the file")
            raw = texts[0]
            topology = json.loads(raw.decode() if isinstance(raw, bytes) else str(raw))
            rows = [
                (str(atom["name"]), str(residue["name"]), int(residue["resSeq"]), number)
                for number, chain in enumerate(topology["chains"])
                for residue in chain["residues"]
                for atom in residue["atoms"]
            ]
            names, resnames, resids, chains = zip(*rows, strict=True)
        except Exception as error:
            raise self._damaged(error) from None
        blank = np.full(len(rows), "")
        return AtomTable(
            names=np.array(names),
            resnames=np.array(resnames),
            resids=np.array(resids, dtype=np.int64),
            icodes=blank,
            altlocs=blank,
            chain_ids=blank,
            segment_index=np.array(chains),
        )

    def has_own_labels(self, index: int) -> bool:
        """Return False: all frames have the same atoms."""
        return False

    def read_times(self) -> Float64[np.ndarray, "F"] | None:
        """Read the times of all frames; None where the file holds none."""
        if self._times is None:
            return None
        try:
            return np.asarray(self._times[:], dtype=np.float64) * self._ps_per_unit
        except Exception as error:
            raise self._damaged(error) from None

    def read(self, index: int) -> Frame:
        """Read one frame."""
        try:
            positions = np.asarray(self._positions[index], dtype=np.float64) * self._angstrom_per_unit
            box = self._read_box(index)
            time = float(index) if self._times is None else float(self._times[index]) * self._ps_per_unit
        except Exception as error:
            raise self._damaged(error) from None
        return Frame(positions.astype(np.float32), time, clean_box(box))

    def _validate(self, file: InputFile) -> None:
        """Read all texts of the file in a separate process: HDF5 never returns from some damaged ones."""
        command = [sys.executable, "-c", _VALIDATION_SCRIPT, str(file.readable)]
        paths = os.pathsep.join(filter(None, sys.path))
        try:
            done = subprocess.run(
                command,
                env={**os.environ, "PYTHONPATH": paths},
                capture_output=True,
                timeout=_TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise self._damaged(TimeoutError(f"not read in {_TIMEOUT_SECONDS} s")) from None
        if done.returncode:
            output = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise self._damaged(ValueError(output[-1] if output else f"signal {-done.returncode}"))

    def _check_chunk_size(self, data: Any, size: int) -> None:
        """Raise where a chunk is too large: HDF5 allocates a whole chunk to read one number of it."""
        if data is not None and data.chunks is not None:
            n_bytes = data.dtype.itemsize * int(np.prod(data.chunks, dtype=np.float64))
            if n_bytes > _MAX_RATIO * size:
                raise self._damaged(ValueError(f"chunks of {n_bytes:,} bytes"))

    def _find_datasets(self, h5py: Any) -> None:
        """Find positions, times and boxes in this file; datasets in other files are refused."""
        file = self._file
        if self._mdtraj:
            self._positions, self._times = file["coordinates"], file.get("time")
            self._cell, self._constant_box = (file.get("cell_lengths"), file.get("cell_angles")), False
            self._angstrom_per_unit, self._ps_per_unit = 10.0, 1.0
        else:
            groups = file["particles"] if "particles" in file else {}
            group = next((groups[name] for name in groups if "position" in groups[name]), None)
            if group is None:
                raise InputError(
                    f"{self.path}: neither H5MD nor MDTraj: no particles in it", "write it as .xtc or .dcd"
                )
            position = group["position"]
            self._positions, self._times = position["value"], position.get("time")
            self._constant_box = "box/edges/value" not in group
            self._cell = group.get("box/edges" if self._constant_box else "box/edges/value"), None
            self._angstrom_per_unit = _TO_ANGSTROM.get(_unit(self._positions), 1.0)
            self._ps_per_unit = 1.0 if self._times is None else _TO_PS.get(_unit(self._times), 1.0)
        if not isinstance(self._positions, h5py.Dataset) or self._positions.file != file:
            raise InputError(f"{self.path}: its positions are no data of this file", "write the file again")
        if self._times is not None and self._times.shape != self._positions.shape[:1]:
            self._times = None

    def _read_box(self, index: int) -> Float[np.ndarray, "6"] | None:
        edges, angles = self._cell
        if edges is None:
            return None
        values = edges[()] if self._constant_box else edges[index]
        edge = np.asarray(values, dtype=np.float64) * self._angstrom_per_unit
        if edge.shape == (3, 3):
            return np.asarray(triclinic_box(*edge))
        angle = np.full(3, 90.0) if angles is None else np.asarray(angles[index], dtype=np.float64)
        return np.concatenate([edge, angle]) if edge.shape == (3,) else None

    def _damaged(self, error: Exception) -> InputError:
        return InputError(
            f"{self.path}: cannot be read as HDF5 ({first_line(error)})", "the file is truncated or damaged"
        )


def _unit(dataset: Any) -> str:
    unit = dataset.attrs.get("unit", "")
    return unit.decode("utf-8", "replace") if isinstance(unit, bytes) else str(unit)
