"""What is done to a chunk of frames, in this process or in another: build and measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.complete.completion import Disulfides, complete
from latcpb_cli.errors import LatcpbError, first_line
from latcpb_cli.io.source import Source
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.metrics.defects import frame_defects
from latcpb_cli.metrics.lasso import lassos
from latcpb_cli.options import Mode
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.postprocess import NoPostProcessing, PostProcessor
from latcpb_cli.sidechains.consensus import RotamerConsensus, choose_reference_frames
from latcpb_cli.structure import AtomTopology, Bridge, CGTrace, FrameChunk, FrameClashes, box_vectors

__all__ = ["RESIDUES_PER_CHUNK", "BuiltChunk", "MeasuredChunk", "ChunkJob"]

RESIDUES_PER_CHUNK = 8192
"""Residues times samples that are held at once, unless one block of the model is more."""


@dataclass(frozen=True, eq=False)
class BuiltChunk:
    """What was built of a chunk of F frames.

    Attributes
    ----------
    chunk : FrameChunk
    atoms : numpy.ndarray of float32, shape (F, S, L, W, 3)
        In Å; the first ``trace.n_slots`` of the W slots are heavy atoms.
    lost : numpy.ndarray of bool, shape (F, S, L)
        Residues without a position, or with atoms that no file could hold.
    bridges : list of F lists of S tuples
        Disulfides of each structure.
    more : list of F * S dict
        What was measured of each on the way.
    tally : OverlapCounts
        Deep overlaps of all of them.
    problems : dict of int to str
        What went wrong in which frame.
    error : Exception or None
        Why none of the frames could be built.
    """

    chunk: FrameChunk
    atoms: np.ndarray
    lost: np.ndarray
    bridges: list[list[tuple[Bridge, ...]]]
    more: list[dict[str, Any]]
    tally: OverlapCounts = field(default_factory=OverlapCounts)
    problems: dict[int, str] = field(default_factory=dict)
    error: Exception | None = None


@dataclass(frozen=True, eq=False)
class MeasuredChunk:
    """What is written of a chunk of F frames.

    Attributes
    ----------
    chunk, bridges, tally, problems, error
        See `BuiltChunk`.
    more : list of F * S dict
        Further counts and energies of each structure, for the report.
    atoms : numpy.ndarray of float32, shape (F, S, L, W, 3)
        In Å; zeros for residues that are lost.
    moves : list of tuple
        Per frame: Cα that were built, those of them that are not where the input has them, sum and maximum
        of the distances (Å).
    clashes : list of FrameClashes
        For each sample of each frame; empty where they are not wanted.
    spread : numpy.ndarray, shape (F, S, L), or None
        How far a residue's atoms stray between samples, Å; None for one sample.
    """

    chunk: FrameChunk
    bridges: list[list[tuple[Bridge, ...]]]
    tally: OverlapCounts
    problems: dict[int, str]
    error: Exception | None
    more: list[dict[str, Any]]
    atoms: np.ndarray
    moves: list[tuple[float, float, float, float]]
    clashes: list[FrameClashes]
    spread: np.ndarray | None


@dataclass(frozen=True, eq=False)
class ChunkJob:
    """How frames of one trace become atoms.

    Attributes
    ----------
    trace : CGTrace
    samples, seed, mode, coherence, ca_tolerance
        See `Backmapper.sample`.
    disulfides : {'auto', 'none'}
        See `complete`.
    limits : tuple of float
        Lowest and highest coordinate (Å) that the output can hold.
    report : bool
        Whether clashes are counted.
    survey : RotamerConsensus, optional
        What some frames say of others; see `with_consensus`.
    """

    trace: CGTrace
    samples: int
    seed: int
    mode: Mode
    coherence: float
    ca_tolerance: float
    disulfides: Disulfides
    limits: tuple[float, float]
    report: bool
    survey: RotamerConsensus | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What a user may have chosen, by name."""
        names = ("samples", "seed", "mode", "coherence", "ca_tolerance", "disulfides")
        return {name: getattr(self, name) for name in names}

    @cached_property
    def present(self) -> np.ndarray:
        """Which heavy atoms are written: bool, shape (L, ``trace.n_slots``)."""
        return AtomTopology.heavy_atoms(self.trace).present

    def with_consensus(self, backmapper: Backmapper, source: Source) -> ChunkJob:
        """The same, with what some frames say of others, where best mode is to ask them.

        Raises
        ------
        LatcpbError
        """
        if self.mode != "best" or self.coherence == 0 or source.n_frames == 1:
            return self
        asked = source.pick(choose_reference_frames(source.n_frames, len(self.trace)))
        survey = backmapper.survey(self.trace, asked, ca_tolerance=self.ca_tolerance)
        return replace(self, survey=survey)

    def build(
        self, backmapper: Backmapper, chunk: FrameChunk, finisher: PostProcessor | None = None
    ) -> BuiltChunk:
        """Build the atoms of a chunk. A frame that fails does not take the others with it.

        Raises
        ------
        LatcpbError
        """
        finisher = finisher or NoPostProcessing(AtomTopology.heavy_atoms(self.trace))
        try:
            return self._build(backmapper, finisher, chunk)
        except (LatcpbError, MemoryError):
            raise
        except Exception as error:
            frames = [self._build_alone(backmapper, finisher, _one(chunk, row)) for row in range(len(chunk))]
            atoms, lost = (np.concatenate([getattr(x, name) for x in frames]) for name in ("atoms", "lost"))
            bridges = [joined for frame in frames for joined in frame.bridges]
            more = [found for frame in frames for found in frame.more]
            tally = OverlapCounts()
            for frame in frames:
                tally.add(frame.tally)
            problems = {index: said for frame in frames for index, said in frame.problems.items()}
            failed = error if len(problems) == len(chunk) else None
            return BuiltChunk(chunk, atoms, lost, bridges, more, tally, problems, failed)

    def measure(self, built: BuiltChunk) -> MeasuredChunk:
        """Compare with the input, count clashes, and zero what is lost."""
        chunk, atoms, lost = built.chunk, built.atoms, built.lost
        heavy = atoms[..., : self.trace.n_slots, :]
        rows = zip(chunk.positions, atoms[:, 0], ~lost[:, 0], strict=True)
        moves = [_moves(*row) for row in rows]
        clashes, more = [], built.more
        if self.report:
            clashes = list(self._clashes(built, heavy))
            counts = zip(self._defects(built, heavy), self._lassos(built), more, strict=True)
            more = [defects | {"lassos": threaded} | extra for defects, threaded, extra in counts]
        if lost.any():
            atoms = np.where(lost[..., None, None], np.float32(0.0), atoms)
        problems, spread = self._problems(built), self._spread(atoms[..., : self.trace.n_slots, :])
        same = built.bridges, built.tally
        return MeasuredChunk(chunk, *same, problems, built.error, more, atoms, moves, clashes, spread)

    def _build(self, backmapper: Backmapper, finisher: PostProcessor, chunk: FrameChunk) -> BuiltChunk:
        tally = OverlapCounts()
        atoms = backmapper.sample(
            self.trace,
            chunk,
            samples=self.samples,
            seed=self.seed,
            mode=self.mode,
            coherence=self.coherence,
            ca_tolerance=self.ca_tolerance,
            survey=self.survey,
            tally=tally,
        )
        atoms, bridges = complete(self.trace, atoms, chunk.boxes, self.disulfides)
        atoms, more = finisher.finish(atoms, chunk)
        heavy, (low, high) = atoms[..., : self.trace.n_slots, :], self.limits
        sound = ((heavy > low) & (heavy < high)).all(axis=-1) | ~self.present
        lost = np.asarray(~sound.all(axis=-1))
        lost = lost if chunk.lost is None else lost | chunk.lost[:, None]
        return BuiltChunk(chunk, atoms, lost, bridges, more, tally)

    def _build_alone(self, backmapper: Backmapper, finisher: PostProcessor, chunk: FrameChunk) -> BuiltChunk:
        try:
            return self._build(backmapper, finisher, chunk)
        except Exception as error:
            shape = (1, self.samples, len(self.trace))
            width = max(self.trace.n_slots, 1 + int(finisher.topology.slot.max()))
            said = {int(chunk.indices[0]): f"could not be built ({first_line(error)})"}
            nothing = np.zeros((*shape, width, 3), dtype=np.float32)
            lost = np.ones(shape, dtype=bool)
            bridges: list[list[tuple[Bridge, ...]]] = [[()] * self.samples]
            return BuiltChunk(chunk, nothing, lost, bridges, [{}] * self.samples, problems=said)

    def _problems(self, built: BuiltChunk) -> dict[int, str]:
        """Residues that had a position in the input and still could not be built, by frame."""
        problems, chunk = dict(built.problems), built.chunk
        given = np.zeros(built.lost[:, 0].shape, dtype=bool) if chunk.lost is None else chunk.lost
        missing = built.lost.any(axis=1) & ~given
        for row in np.flatnonzero(missing.any(axis=1)):
            said = f"{missing[row].sum()} residues not built: coordinates that no file can hold"
            problems.setdefault(int(chunk.indices[row]), said)
        return problems

    def _clashes(self, built: BuiltChunk, heavy: np.ndarray) -> Iterator[FrameClashes]:
        """Count the clashes of every sample, frame by frame."""
        boxes = np.repeat(built.chunk.boxes, self.samples, axis=0)
        for rows, there, atoms, linked in self._sound(built, heavy):
            yield from frame_clashes(self.trace.kinds, atoms, there, linked, boxes[rows])

    def _defects(self, built: BuiltChunk, heavy: np.ndarray) -> Iterator[dict[str, int]]:
        """Count what is wrong with the geometry of every sample, frame by frame."""
        for _, there, atoms, linked in self._sound(built, heavy[..., :N_SLOTS, :]):
            yield from frame_defects(self.trace, atoms, there, linked)

    def _lassos(self, built: BuiltChunk) -> Iterator[int]:
        """Count the disulfides of every sample whose loop a chain runs through."""
        chunk = built.chunk
        frames = zip(chunk.positions, box_vectors(chunk.boxes), built.bridges, strict=True)
        linked = self.trace.linked(chunk.positions)
        for joined, (ca, cell, samples) in zip(linked, frames, strict=True):
            yield from (len(lassos(ca, joined, bridges, cell)) for bridges in samples)

    def _sound(
        self, built: BuiltChunk, heavy: np.ndarray
    ) -> Iterator[tuple[slice, np.ndarray, np.ndarray, np.ndarray]]:
        """Stretches of structures with the same atoms: rows, which atoms, these, and the peptides."""
        linked = np.repeat(self.trace.linked(built.chunk.positions), self.samples, axis=0)
        atoms, lost = (x.reshape(-1, *x.shape[2:]) for x in (heavy, built.lost))
        present = self.present[:, : heavy.shape[-2]]
        # Frames with lost residues are rare, and each has atoms of its own.
        for rows in _runs(np.asarray(lost.any(axis=1))):
            there = present & ~lost[rows.start][:, None]
            yield rows, there, np.where(there[:, :, None], atoms[rows], 0.0), linked[rows]

    def _spread(self, atoms: np.ndarray) -> np.ndarray | None:
        """How far a residue's atoms (F, S, L, W, 3) stray between samples: Å, (F, S, L); None for one."""
        if self.samples == 1:
            return None
        squares = ((atoms - atoms.mean(1, keepdims=True)) ** 2).sum(-1).mean(1)
        spread = np.sqrt((squares * self.present).sum(-1) / self.present.sum(-1))
        return np.repeat(spread[:, None], self.samples, axis=1)


def _one(chunk: FrameChunk, row: int) -> FrameChunk:
    rows = slice(row, row + 1)
    lost = None if chunk.lost is None else chunk.lost[rows]
    return FrameChunk(chunk.positions[rows], chunk.times[rows], chunk.boxes[rows], chunk.indices[rows], lost)


def _moves(before: np.ndarray, atoms: np.ndarray, built: np.ndarray) -> tuple[float, float, float, float]:
    """Compare input Cα (L, 3) with atoms (L, 15, 3) of residues that were ``built`` (L,)."""
    step = atoms[built, 1].astype(np.float64) - before[built]
    distance = np.sqrt((step * step).sum(-1))
    moved, total, most = (distance > 0).sum(), distance.sum(), distance.max(initial=0.0)
    return float(distance.size), float(moved), float(total), float(most)


def _runs(alone: np.ndarray) -> list[slice]:
    """Split rows into stretches: those marked one by one, the others together."""
    starts = np.flatnonzero(np.r_[True, alone[1:] | alone[:-1]])
    stops = np.r_[starts[1:], len(alone)]
    return [slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]
