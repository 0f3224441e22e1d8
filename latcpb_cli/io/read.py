"""Reading coarse-grained structures and trajectories as a stream (layer 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from latcpb_cli.errors import InputError
from latcpb_cli.io.atoms import AtomTable
from latcpb_cli.io.beads import find_beads
from latcpb_cli.io.chains import build_trace
from latcpb_cli.io.cif_reader import CifFile
from latcpb_cli.io.frames import FrameFile, Trajectory
from latcpb_cli.io.mda_reader import MdaFile, read_atoms, select_atoms
from latcpb_cli.io.pdb_reader import PdbFile
from latcpb_cli.io.selection import FrameChoice
from latcpb_cli.io.whole import make_whole, minimum_image_steps
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["STRUCTURE_SUFFIXES", "TRAJECTORY_SUFFIXES", "Source", "open_source"]

STRUCTURE_SUFFIXES = (".pdb", ".ent", ".gro", ".cif", ".mmcif")
"""Formats that name their atoms and can stand alone."""
TRAJECTORY_SUFFIXES = (".xtc", ".trr", ".dcd", ".nc")
"""Formats that hold positions only and need a topology."""

_FRAME_FILES: dict[str, Callable[[Path], FrameFile]] = {
    **dict.fromkeys((".pdb", ".ent"), PdbFile),
    **dict.fromkeys((".cif", ".mmcif"), CifFile),
    **dict.fromkeys((".gro", *TRAJECTORY_SUFFIXES), MdaFile),
}


@dataclass(frozen=True, eq=False)
class Source:
    """A coarse-grained trajectory that is read chunk by chunk.

    Attributes
    ----------
    paths : tuple of pathlib.Path
        Every file that is read, the topology first.
    trace : CGTrace
    frames : numpy.ndarray of int64, shape (F,)
        Numbers of the chosen frames in the trajectory.
    left_out : dict of str to int
        Residues without a Cα bead, counted by residue name.
    renamed : dict of (str, str) to int
        Residues read under another name, as (given, standard).
    notes : tuple of str
        Other things that were decided for the user, one line each.
    """

    paths: tuple[Path, ...]
    trace: CGTrace
    frames: np.ndarray
    left_out: dict[str, int]
    renamed: dict[tuple[str, str], int]
    notes: tuple[str, ...]
    _trajectory: Trajectory
    _columns: np.ndarray
    _whole: bool

    @property
    def n_frames(self) -> int:
        """Number of chosen frames."""
        return len(self.frames)

    @property
    def interval(self) -> float:
        """Time between the first two chosen frames in ps; 1 where that says nothing."""
        if self.n_frames < 2:
            return 1.0
        first, second = (self._trajectory.read(int(index)).time for index in self.frames[:2])
        return second - first if second > first else 1.0

    def chunks(self, size: int) -> Iterator[FrameChunk]:
        """Read the chosen frames, ``size`` of them at a time.

        Raises
        ------
        InputError
            If a frame cannot be read or holds positions that are no numbers.
        """
        for start in range(0, self.n_frames, size):
            indices = self.frames[start : start + size]
            frames = [self._trajectory.read(int(index)) for index in indices]
            positions = np.stack([frame.positions[self._columns] for frame in frames])
            for index, frame in zip(indices, positions, strict=True):
                self._refuse_nan(int(index), frame)
            boxes = np.stack([frame.box for frame in frames])
            if self._whole:
                positions = make_whole(self.trace, positions, boxes)
            times = np.array([frame.time for frame in frames])
            yield FrameChunk(positions.astype(np.float32, copy=False), times, boxes, indices)

    def _refuse_nan(self, index: int, positions: np.ndarray) -> None:
        bad = np.flatnonzero(~np.isfinite(positions).all(axis=-1))
        if len(bad):
            path = self._trajectory.locate(index)[0].path
            raise InputError(
                f"{path}: frame {index}, residue {self.trace.label(int(bad[0]))}: position is not a number",
                "the simulation blew up or the file is damaged; leave the frame out with --frames",
            )


def open_source(
    trajectories: Sequence[Path],
    top: Path | None,
    *,
    selection: str | None = None,
    pbc: Literal["whole", "none"] = "whole",
    choice: FrameChoice | None = None,
) -> Source:
    """Open a structure, or a topology with its trajectories.

    Parameters
    ----------
    trajectories : sequence of pathlib.Path
        Read one after the other. The first may be a structure that serves as
        topology as well.
    top : pathlib.Path or None
        Structure that names the atoms.
    selection : str or None
        Atoms to use, in the language of MDAnalysis; all by default.
    pbc : {'whole', 'none'}
        Whether chains that a periodic box cuts are made whole.
    choice : FrameChoice or None
        Frames to use; all by default.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        If a file is missing, damaged, of an unknown format, or does not hold
        Cα beads of known residues.
    """
    choice = choice or FrameChoice()
    paths = [Path(path) for path in trajectories]
    topology_path = Path(top) if top is not None else paths[0]
    for path in (topology_path, *paths):
        check_file(path)
    table = read_topology(topology_path)
    trajectory = open_frames(paths, choice)
    frames = choice.apply(trajectory)
    first = trajectory.read(int(frames[0]))
    rows = _selected_rows(table, topology_path, first.positions, selection)
    beads = find_beads(table.take(rows), topology_path)
    columns = _columns(trajectory, topology_path, len(table), rows[beads.rows])
    gaps = minimum_image_steps(first.positions[columns], first.box)
    trace, notes = build_trace(table.take(rows[beads.rows]), beads.sequence, gaps)
    _check_unit(trajectory.locate(int(frames[0]))[0].path, trace, gaps)
    return Source(
        paths=tuple(dict.fromkeys((topology_path, *paths))),
        trace=trace,
        frames=frames,
        left_out=beads.left_out,
        renamed=beads.renamed,
        notes=tuple(notes),
        _trajectory=trajectory,
        _columns=columns,
        _whole=pbc == "whole",
    )


def check_file(path: Path) -> None:
    """Refuse what no reader could read, before any of them tries."""
    if not path.exists():
        raise InputError(f"{path}: no such file", "check the name and the folder")
    if not path.is_file():
        raise InputError(f"{path}: not a file", "give a structure or a trajectory")
    if path.suffix.lower() not in _FRAME_FILES:
        known = " ".join((*STRUCTURE_SUFFIXES, *TRAJECTORY_SUFFIXES))
        raise InputError(f"{path}: unknown format '{path.suffix}'", f"latcpb reads {known}")
    try:
        with path.open("rb") as handle:
            empty = not handle.read(1)
    except OSError as error:
        raise InputError(f"{path}: cannot be opened ({error.strerror})", "check its permissions") from None
    if empty:
        raise InputError(f"{path}: the file is empty", "write it again; did the run that makes it fail?")


def read_topology(path: Path) -> AtomTable:
    suffix = path.suffix.lower()
    if suffix in TRAJECTORY_SUFFIXES:
        raise InputError(
            f"{path}: a trajectory does not say which residues it holds",
            "give a structure of the same beads with --top",
        )
    if suffix == ".gro":
        return read_atoms(path)
    return CifFile(path).atoms() if suffix in (".cif", ".mmcif") else PdbFile(path).atoms()


def open_frames(paths: Sequence[Path], choice: FrameChoice) -> Trajectory:
    """Open the trajectories; a cut one may be used up to where it is whole."""
    files = [_FRAME_FILES[path.suffix.lower()](path) for path in paths]
    for file in files:
        if file.n_frames < 1:
            raise InputError(f"{file.path}: no whole frame", "the file is truncated; copy it again")
        if file.n_atoms != files[0].n_atoms:
            raise InputError(
                f"{file.path}: {file.n_atoms} atoms, {files[0].path}: {files[0].n_atoms}",
                "all trajectories must hold the same atoms",
            )
        if file.truncated and (file is not files[-1] or choice.open_ended):
            raise InputError(
                f"{file.path}: truncated after {file.n_frames} whole frames",
                f"copy it again, or use what is there with --frames 0:{file.n_frames}",
            )
    return Trajectory(files)


def _selected_rows(table: AtomTable, path: Path, positions: np.ndarray, selection: str | None) -> np.ndarray:
    if selection is None:
        return np.arange(len(table))
    # Positions of beads only (see _columns) cannot serve an all-atom topology.
    known = positions if len(positions) == len(table) else np.zeros((len(table), 3), dtype=np.float32)
    rows = select_atoms(table, known, selection)
    if len(rows) == 0:
        raise InputError(f"{path}: --selection '{selection}' selects nothing", "check names and numbers")
    return rows


def _columns(trajectory: Trajectory, top: Path, n_atoms: int, beads: np.ndarray) -> np.ndarray:
    """Where the beads stand in a frame: among all atoms, or alone in their order."""
    file = trajectory.files[0]
    if file.n_atoms == n_atoms:
        return beads
    if file.n_atoms == len(beads):
        return np.arange(len(beads))
    raise InputError(
        f"{file.path}: {file.n_atoms} atoms, but {top} has {n_atoms}",
        "give the topology that the trajectory was written with",
    )


def _check_unit(path: Path, trace: CGTrace, gaps: np.ndarray) -> None:
    """Neighbours are about 3.8 Å apart; a tenth of that is a file in nm."""
    bonds = gaps[trace.same_chain_as_next()[:-1]]
    median = float(np.median(bonds)) if len(bonds) else np.nan
    if 0.25 < median < 0.6:
        raise InputError(
            f"{path}: neighbouring Cα are {median:.2f} Å apart: nm coordinates in a format of Å",
            "multiply the coordinates by 10, or write the file as .gro or .xtc",
        )
    if median <= 0.25:
        raise InputError(
            f"{path}: neighbouring Cα are {median:.2f} Å apart: the beads lie on top of each other",
            "check the coordinates and the order of the beads",
        )
