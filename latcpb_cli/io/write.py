"""Writing all-atom structures and trajectories, whole or not at all (layer 2).

Everything goes to ``NAME.part`` first and takes its final name in `AtomWriter.commit`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from latcpb_cli.chem.naming import Naming
from latcpb_cli.errors import InputError, OutputExistsError, UsageError
from latcpb_cli.io.frames import Begun, FrameOut, Stamp
from latcpb_cli.io.journal import Mark
from latcpb_cli.io.parts import PartFile
from latcpb_cli.io.pdb_writer import PDB_LIMITS, PdbOut, refuse_too_large
from latcpb_cli.io.source import Source
from latcpb_cli.io.trajectory_writer import TrajectoryOut
from latcpb_cli.structure import AtomTopology, Bridge, FrameChunk

__all__ = [
    "OUTPUT_SUFFIXES", "AtomWriter", "check_fit", "check_output", "coordinate_limits", "open_writer",
    "output_files",
]  # fmt: skip

_SIDE_CHAIN = 12.0
"""No atom of a residue is farther (Å) from its Cα than this."""
_XTC_LIMITS = (-2e7, 2e7)
"""Thousandths of nm in 32 bits (Å)."""
_FRAMES_PER_LOOK = 64

OUTPUT_SUFFIXES = (".pdb", ".xtc", ".dcd", ".trr")


def output_files(path: Path) -> tuple[Path, ...]:
    """List the files that `open_writer` makes for an output name, the main one first."""
    return (path,) if path.suffix.lower() == ".pdb" else (path, path.with_suffix(".top.pdb"))


def check_output(
    path: Path, overwrite: bool, *, beside: Iterable[Path] = (), inputs: Iterable[Path] = ()
) -> None:
    """Refuse an output name before any work is done.

    Parameters
    ----------
    path : pathlib.Path
    overwrite : bool
        Whether files that exist may be replaced.
    beside : iterable of pathlib.Path
        Further files that the run will write, such as reports.
    inputs : iterable of pathlib.Path
        Files that must never be replaced.

    Raises
    ------
    UsageError
        If the format or the folder is not possible.
    OutputExistsError
        If one of the files is there already.
    """
    if path.suffix.lower() not in OUTPUT_SUFFIXES:
        raise UsageError(
            f"{path}: cannot write format '{path.suffix}'", f"latcpb writes {' '.join(OUTPUT_SUFFIXES)}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: no such folder", "make it first, or choose another --output")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path.parent}: cannot be written to", "choose another --output")
    sources = {os.path.realpath(source) for source in inputs}
    for file in (*output_files(path), *beside):
        if os.path.realpath(file) in sources:
            raise UsageError(f"{file}: is an input of this run", "choose another --output")
        if file.is_dir():
            raise OutputExistsError(f"{file}: is a folder", "choose another --output")
        if file.exists() and not overwrite:
            raise OutputExistsError(f"{file}: exists already", "choose another --output, or add --overwrite")


def coordinate_limits(path: Path) -> tuple[float, float]:
    """Lowest and highest coordinate (Å) that an output can hold."""
    return PDB_LIMITS if path.suffix.lower() == ".pdb" else _XTC_LIMITS


def check_fit(path: Path, source: Source, n_samples: int) -> None:
    """Refuse what a PDB file cannot hold, before the model is loaded.

    Frames that are exploded are not refused here: of those the residues that
    fit are written.

    Raises
    ------
    InputError
    """
    if path.suffix.lower() != ".pdb":
        return
    refuse_too_large(AtomTopology.heavy_atoms(source.trace), source.n_frames * n_samples)
    low, high = PDB_LIMITS[0] + _SIDE_CHAIN, PDB_LIMITS[1] - _SIDE_CHAIN
    for chunk in source.chunks(_FRAMES_PER_LOOK):
        outside = np.asarray(((chunk.positions < low) | (chunk.positions > high)).any(axis=-1))
        for frame in np.flatnonzero(outside.any(axis=1)):
            index = int(chunk.indices[frame])
            if index not in source.problems:
                label = source.trace.label(int(np.flatnonzero(outside[frame])[0]))
                raise InputError(
                    f"frame {index}, residue {label}: coordinates beyond -999 to 9999 Å do not fit into PDB",
                    "write a trajectory instead, for instance with -o OUT.xtc",
                )


class AtomWriter:
    """Writes frames one after the other; a context manager.

    Leaving the context without `commit` touches no file of the final name, and
    removes what was written unless `sync` has made it safe to go on with.
    Made by `open_writer`.
    """

    def __init__(
        self, out: FrameOut, topology: AtomTopology, parts: Sequence[PartFile], resumed: bool
    ) -> None:
        self._out = out
        self._topology = topology
        self._parts = parts
        self._kept, self._finished = resumed, False

    def write(
        self,
        atoms: np.ndarray,
        chunk: FrameChunk,
        bfactors: np.ndarray | None = None,
        bridges: Sequence[Sequence[tuple[Bridge, ...]]] | None = None,
    ) -> None:
        """Append all samples of each frame of a chunk, frame by frame.

        Parameters
        ----------
        atoms : numpy.ndarray of float32, shape (F, S, L, W, 3)
            In Å; W is the ``n_slots`` of the trace.
        chunk : FrameChunk
            The F frames they were made from.
        bfactors : numpy.ndarray, shape (F, S, L), or None
            One value per residue, for PDB files.
        bridges : F sequences of S tuples, or None
            Disulfides of each structure; those of the very first are written.

        Raises
        ------
        InputError
            If coordinates do not fit into the format.
        OutputError
            If the disk is full.
        """
        for frame, index in enumerate(chunk.indices.tolist()):
            for sample, positions in enumerate(self._topology.flatten(atoms[frame])):
                values = None if bfactors is None else bfactors[frame, sample]
                joined = () if bridges is None else bridges[frame][sample]
                stamp = Stamp(index, sample, float(chunk.times[frame]), chunk.boxes[frame], joined)
                self._out.write(positions, values, stamp)

    def sync(self) -> dict[str, int]:
        """Bring all that was written to the disk; returns the size of each file, by final name."""
        self._out.flush()
        marks = {part.final.name: part.sync() for part in self._parts}
        self._kept = True
        return marks

    def finish(self) -> None:
        """Complete the files under their temporary names."""
        self._out.finish()
        for part in self._parts:
            part.sync()
        self._finished = True

    def commit(self) -> None:
        """Give the files their final names, the main one last."""
        if not self._finished:
            self.finish()
        for part in reversed(self._parts):
            part.commit()
        self._kept = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out.close()
        for part in self._parts:
            part.close() if self._kept else part.discard()


def open_writer(
    path: Path,
    topology: AtomTopology,
    *,
    n_frames: int,
    n_samples: int,
    interval: float = 1.0,
    remarks: Sequence[str] = (),
    naming: Naming = "pdb",
    mark: Mark | None = None,
) -> AtomWriter:
    """Open an output by its suffix: ``.pdb``, or ``.xtc .dcd .trr`` with a topology beside.

    The topology of ``all.xtc`` is ``all.top.pdb``: the first frame, with
    numbers that wrap where a PDB file has no columns left.

    Parameters
    ----------
    path : pathlib.Path
    topology : AtomTopology
    n_frames, n_samples : int
        What will be written; PDB files of more than one model get MODEL records.
    interval : float
        Time between frames in ps. DCD has one clock for all it holds: sample
        0 of each frame then shows the time of its frame.
    remarks : sequence of str
        Put into PDB files as REMARK 999.
    naming : {'pdb', 'charmm', 'amber'}
        Whose names residues and atoms get in PDB files and topologies.
    mark : Mark, optional
        Where an interrupted run is to be continued.

    Returns
    -------
    AtomWriter

    Raises
    ------
    InputError
        If the format cannot hold so much.
    OutputError, UsageError
        See `PartFile`.
    """
    n_models, suffix = n_frames * n_samples, path.suffix.lower()
    if suffix == ".pdb":
        refuse_too_large(topology, n_models)
    parts = [PartFile(final, None if mark is None else mark.files) for final in output_files(path)]
    begun = None if mark is None else Begun(mark.frames * n_samples, mark.bridges)
    out: FrameOut
    if suffix == ".pdb":
        out = PdbOut(parts[0], topology, n_models > 1, remarks, naming, begun)
    else:
        files = parts[0], parts[1], suffix
        out = TrajectoryOut(*files, topology, interval / n_samples, remarks, naming, begun)
    return AtomWriter(out, topology, parts, resumed=mark is not None)
