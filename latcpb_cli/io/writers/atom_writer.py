"""All-atom structures and trajectories, written completely or not at all.

Everything goes to ``NAME.part`` first and takes its final name in `AtomWriter.commit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from jaxtyping import Float

from latcpb_cli.choices import TopologyFormat
from latcpb_cli.errors import OutputError
from latcpb_cli.io.writers.cif import CifWriter
from latcpb_cli.io.writers.frame_writer import FrameInfo, FrameWriter, OutputSpec, ResumePoint
from latcpb_cli.io.writers.part_file import PartFile, PartState
from latcpb_cli.io.writers.pdb import PDB_LIMITS, PdbWriter, check_pdb_capacity, check_pdb_topology
from latcpb_cli.io.writers.topology_bfactors import EVERYWHERE, TopologyBFactors
from latcpb_cli.io.writers.trajectory import DCD_FRAME_COUNT, TrajectoryWriter
from latcpb_cli.structure import AtomTopology, Bridge, FrameChunk

__all__ = [
    "OUTPUT_SUFFIXES",
    "STRUCTURE_SUFFIXES",
    "AtomWriter",
    "coordinate_limits",
    "open_writer",
    "output_files",
]

_XTC_LIMITS = (-2e7, 2e7)
"""Coordinates (Å) that fit into 32-bit integers as thousandths of nm."""

STRUCTURE_SUFFIXES = (".pdb", ".cif")
"""Outputs that name their atoms."""
OUTPUT_SUFFIXES = (*STRUCTURE_SUFFIXES, ".xtc", ".dcd", ".trr")


def output_files(path: Path, topology: TopologyFormat = "pdb") -> tuple[Path, ...]:
    """List the files that `open_writer` makes for an output name, the main one first."""
    if path.suffix.lower() in STRUCTURE_SUFFIXES:
        return (path,)
    return path, path.with_suffix(f".top.{topology}")


def coordinate_limits(path: Path) -> tuple[float, float]:
    """Return the lowest and the highest coordinate (Å) that an output can hold."""
    return PDB_LIMITS if path.suffix.lower() == ".pdb" else _XTC_LIMITS


class AtomWriter:
    """A context manager that writes frames one after the other; `open_writer` makes it.

    Leaving the context without `commit` leaves all files of the final names
    as they are, and removes the part files, unless `sync` has made them safe
    to continue.
    """

    def __init__(
        self,
        out: FrameWriter,
        topology: AtomTopology,
        parts: Sequence[PartFile],
        scratch: Sequence[PartFile],
        resumed: bool,
    ) -> None:
        self._out = out
        self._topology = topology
        self._parts, self._scratch = parts, scratch
        self._keep_parts, self._finished = resumed, False

    def write(
        self,
        atoms: Float[np.ndarray, "F S L W 3"],
        chunk: FrameChunk,
        bfactors: Float[np.ndarray, "F S N"] | None = None,
        bridges: Sequence[Sequence[tuple[Bridge, ...]]] | None = None,
    ) -> None:
        """Append all samples of each frame of a chunk, frame by frame.

        Parameters
        ----------
        atoms : numpy.ndarray of float32, shape (F, S, L, W, 3)
            In Å; W is the ``n_slots`` of the trace.
        chunk : FrameChunk
            The F frames that the atoms belong to.
        bfactors : numpy.ndarray, shape (F, S, N), or None
            One value per atom, in file order, for files that name their atoms.
        bridges : F sequences of S tuples, or None
            Disulfides of each structure; a file lists those of its first one.

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

    def sync(self) -> dict[str, PartState]:
        """Flush everything to the disk and return the state of each file, by final name."""
        self._out.flush()
        states = {part.final.name: part.sync() for part in (*self._parts, *self._scratch)}
        self._keep_parts = True
        return states

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
        self._keep_parts = False

    def __enter__(self) -> AtomWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out.close()
        for part in (*self._parts, *self._scratch):
            part.close() if self._keep_parts else part.discard()


def open_writer(
    path: Path, topology: AtomTopology, spec: OutputSpec, resume: ResumePoint | None = None
) -> AtomWriter:
    """Open an output by its suffix: ``.pdb``, ``.cif``, or ``.xtc .dcd .trr`` with a topology beside it.

    The topology of ``all.xtc`` is ``all.top.pdb``: the first frame, with
    numbers that start again from 0 where a PDB file has no columns left; or
    ``all.top.cif``, which has room for all of them.

    Parameters
    ----------
    path : pathlib.Path
    topology : AtomTopology
    spec : OutputSpec
        PDB files of more than one structure get MODEL records. DCD has one
        clock for all that it holds: sample 0 of each frame then has the time
        of its frame.
    resume : ResumePoint, optional
        What the files of an interrupted run hold already.

    Returns
    -------
    AtomWriter

    Raises
    ------
    InputError
        If the format cannot hold so much.
    OutputError
        See `PartFile`.
    """
    suffix = path.suffix.lower()
    if suffix == ".pdb":
        check_pdb_capacity(topology, spec.n_structures)
    elif suffix != ".cif" and spec.topology == "pdb":
        check_pdb_topology(topology.trace)
    volatile = [DCD_FRAME_COUNT if suffix == ".dcd" else slice(0, 0)]
    if suffix not in STRUCTURE_SUFFIXES:
        volatile.append(EVERYWHERE if spec.mean_bfactors else slice(0, 0))
    states = None if resume is None else resume.parts
    parts: list[PartFile] = []
    scratch: list[PartFile] = []
    bfactors = None
    try:
        for final, changeable in zip(output_files(path, spec.topology), volatile, strict=True):
            parts.append(PartFile(final, states, changeable))
        if spec.mean_bfactors and len(parts) > 1:
            bfactors = TopologyBFactors(parts[1], len(topology), resume)
            scratch.append(bfactors.mean.part)
    except OutputError:
        for part in parts:
            part.close() if resume else part.discard()
        raise
    out: FrameWriter
    if suffix == ".pdb":
        out = PdbWriter(parts[0], topology, spec, resume)
    elif suffix == ".cif":
        out = CifWriter(parts[0], topology, spec, resume)
    else:
        out = TrajectoryWriter(parts[0], parts[1], topology, spec, resume, bfactors)
    return AtomWriter(out, topology, parts, scratch, resumed=resume is not None)
