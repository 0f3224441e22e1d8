"""Writing all-atom structures and trajectories, whole or not at all.

Everything goes to ``NAME.part`` first and takes its final name in `AtomWriter.commit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from latcpb_cli.chem.naming import Naming
from latcpb_cli.io.writers.frame_writer import FrameInfo, FrameWriter, ResumePoint
from latcpb_cli.io.writers.part_file import PartFile
from latcpb_cli.io.writers.pdb import PDB_LIMITS, PdbWriter, refuse_too_large
from latcpb_cli.io.writers.trajectory import TrajectoryWriter
from latcpb_cli.structure import AtomTopology, Bridge, FrameChunk

__all__ = ["OUTPUT_SUFFIXES", "AtomWriter", "coordinate_limits", "open_writer", "output_files"]

_XTC_LIMITS = (-2e7, 2e7)
"""Thousandths of nm in 32 bits (Å)."""

OUTPUT_SUFFIXES = (".pdb", ".xtc", ".dcd", ".trr")


def output_files(path: Path) -> tuple[Path, ...]:
    """List the files that `open_writer` makes for an output name, the main one first."""
    return (path,) if path.suffix.lower() == ".pdb" else (path, path.with_suffix(".top.pdb"))


def coordinate_limits(path: Path) -> tuple[float, float]:
    """Lowest and highest coordinate (Å) that an output can hold."""
    return PDB_LIMITS if path.suffix.lower() == ".pdb" else _XTC_LIMITS


class AtomWriter:
    """Writes frames one after the other; a context manager.

    Leaving the context without `commit` touches no file of the final name, and
    removes what was written unless `sync` has made it safe to go on with.
    Made by `open_writer`.
    """

    def __init__(
        self, out: FrameWriter, topology: AtomTopology, parts: Sequence[PartFile], resumed: bool
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
                info = FrameInfo(index, sample, float(chunk.times[frame]), chunk.boxes[frame], joined)
                self._out.write(positions, values, info)

    def sync(self) -> dict[str, int]:
        """Bring all that was written to the disk; returns the size of each file, by final name."""
        self._out.flush()
        sizes = {part.final.name: part.sync() for part in self._parts}
        self._kept = True
        return sizes

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
    resume: ResumePoint | None = None,
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
    resume : ResumePoint, optional
        What the files of an interrupted run hold already.

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
    parts = [PartFile(final, resume and resume.sizes) for final in output_files(path)]
    out: FrameWriter
    if suffix == ".pdb":
        out = PdbWriter(parts[0], topology, n_models > 1, remarks, naming, resume)
    else:
        files = parts[0], parts[1], suffix
        out = TrajectoryWriter(*files, topology, interval / n_samples, remarks, naming, resume)
    return AtomWriter(out, topology, parts, resumed=resume is not None)
