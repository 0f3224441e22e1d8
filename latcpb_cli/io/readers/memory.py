"""Atoms and frames that are in memory already: arrays, mdtraj trajectories, universes of MDAnalysis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.mda import damaged_as_input_error
from latcpb_cli.io.readers.mda_topology import atom_table
from latcpb_cli.io.readers.suppress_warnings import suppress_warnings

__all__ = ["ArrayFrames", "UniverseFrames", "mdtraj_frames"]

_ANGSTROM_PER_NM = 10.0
_NO_BOX = np.zeros(6, dtype=np.float32)


class _NamedFrames:
    """What all data in memory have in common as a `StructureFile`."""

    names_atoms = True
    truncated = False
    notes: tuple[str, ...] = ()

    def __init__(self, name: str, atoms: AtomTable, n_frames: int) -> None:
        self.path, self._atoms, self.n_atoms, self.n_frames = Path(name), atoms, len(atoms), n_frames

    def read_atoms(self, index: int = 0) -> AtomTable:
        """Return the atoms, which all frames have in common."""
        return self._atoms

    def has_own_labels(self, index: int) -> bool:
        """Return False: all frames have the same atoms."""
        return False


class ArrayFrames(_NamedFrames):
    """Frames in an array.

    Parameters
    ----------
    name : str
        For messages.
    atoms : AtomTable
        N atoms.
    positions : numpy.ndarray, shape (F, N, 3)
        In Å.
    times : numpy.ndarray, shape (F,), optional
        In ps; the numbers of the frames by default.
    boxes : numpy.ndarray, shape (F, 6), optional
        a, b, c (Å), alpha, beta, gamma (degrees).
    """

    def __init__(
        self,
        name: str,
        atoms: AtomTable,
        positions: Float[np.ndarray, "F N 3"],
        times: Float[np.ndarray, "F"] | None = None,
        boxes: Float[np.ndarray, "F 6"] | None = None,
    ) -> None:
        super().__init__(name, atoms, len(positions))
        self._positions, self._boxes = positions, boxes
        self._times = np.arange(len(positions), dtype=np.float64) if times is None else times

    def read(self, index: int) -> Frame:
        """Return a copy of one frame."""
        box = _NO_BOX if self._boxes is None else clean_box(self._boxes[index])
        return Frame(self._positions[index].astype(np.float32), float(self._times[index]), box)

    def read_times(self) -> Float64[np.ndarray, "F"]:
        """Return the times (ps) of all frames."""
        return self._times.astype(np.float64)


class UniverseFrames(_NamedFrames):
    """The frames of an atom group of MDAnalysis.

    The trajectory is read through a copy of its reader where that can be copied, so that the frame at
    which the universe stands does not change.

    Parameters
    ----------
    atoms : MDAnalysis.core.groups.AtomGroup
        N atoms of a universe with a trajectory.

    Raises
    ------
    InputError
        The universe has no positions.
    """

    def __init__(self, atoms: Any) -> None:
        trajectory = getattr(atoms.universe, "trajectory", None)
        if trajectory is None or not len(atoms):
            missing = "atoms" if not len(atoms) else "coordinates"
            raise InputError(f"the universe has no {missing}", "load a trajectory, or a structure")
        super().__init__("universe", atom_table(atoms), len(trajectory))
        self._rows = atoms.ix
        try:
            self._reader = trajectory.copy()
        except (NotImplementedError, TypeError, ValueError, OSError):
            self._reader = trajectory

    def read(self, index: int) -> Frame:
        """Read one frame."""
        with suppress_warnings(), damaged_as_input_error(f"universe: frame {index}"):
            step = self._reader[index]
            time = float(step.time)
            positions = step.positions[self._rows].astype(np.float32)
            return Frame(positions, time if np.isfinite(time) else float(index), clean_box(step.dimensions))

    def read_times(self) -> None:
        """Return None: readers of MDAnalysis give a time only together with positions."""


def mdtraj_frames(trajectory: Any) -> ArrayFrames:
    """Take the atoms and the frames of a trajectory of mdtraj.

    Parameters
    ----------
    trajectory : mdtraj.Trajectory
        Lengths in nm.
    """
    atoms = list(trajectory.topology.atoms)
    residues = [atom.residue for atom in atoms]
    blank = np.full(len(atoms), "")
    table = AtomTable(
        names=np.array([atom.name for atom in atoms]),
        resnames=np.array([residue.name for residue in residues]),
        resids=np.array([residue.resSeq for residue in residues], dtype=np.int64),
        icodes=blank,
        altlocs=blank,
        chain_ids=_chain_ids([residue.chain for residue in residues]),
        segment_index=np.array([residue.chain.index for residue in residues], dtype=np.int64),
    )
    boxes = None
    if trajectory.unitcell_lengths is not None:
        edges = trajectory.unitcell_lengths * _ANGSTROM_PER_NM
        boxes = np.concatenate([edges, trajectory.unitcell_angles], axis=1)
    positions = np.asarray(trajectory.xyz, dtype=np.float32) * np.float32(_ANGSTROM_PER_NM)
    return ArrayFrames("trajectory", table, positions, np.asarray(trajectory.time, dtype=np.float64), boxes)


def _chain_ids(chains: Sequence[Any]) -> np.ndarray:
    """Return the identifiers of chains, which older versions of mdtraj do not have."""
    return np.array([str(getattr(chain, "chain_id", None) or "").strip() for chain in chains])
