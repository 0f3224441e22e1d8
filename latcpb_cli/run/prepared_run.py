"""What all chunks of a run share, computed once before the first of them."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import numpy as np

from latcpb_cli import __version__
from latcpb_cli.backbone.place_ca import place_ca
from latcpb_cli.confidence.calibration import require_calibration
from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.source import Source
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.chunk_job import RESIDUES_PER_CHUNK, BuiltChunk, ChunkJob, ModelIdentity
from latcpb_cli.run.measure import MeasuredChunk
from latcpb_cli.run.postprocess import PostProcessor, open_post_processor
from latcpb_cli.structure import AtomTopology, Bridge, FrameChunk
from latcpb_cli.templates.template_set import TemplateSet, read_templates

__all__ = ["Builder", "InProcess", "PreparedRun", "StoredChunks", "frames_per_chunk", "open_templates"]


@runtime_checkable
class Builder(Protocol):
    """Builds chunks of frames.

    Attributes
    ----------
    count : int
        How many chunks it builds at a time.
    """

    count: int

    def build(
        self, job: ChunkJob, chunks: Iterable[FrameChunk]
    ) -> Generator[BuiltChunk | MeasuredChunk, None, None]:
        """Build chunks; they come back in their order, measured or not."""


@dataclass(frozen=True, eq=False)
class PreparedRun:
    """A model, an input, and what is done to each of its chunks.

    Attributes
    ----------
    backmapper : LoadedModel
    source : Source
    job : ChunkJob
    post_processor : PostProcessor
    problems : dict of int to str
        Frames that are left out of the reference frames, and why.
    n_frames : int
        Frames of the output: all of the input, or those of a part that is written by itself.
    started : float
        On the clock of `time.perf_counter`.
    """

    backmapper: LoadedModel
    source: Source
    job: ChunkJob
    post_processor: PostProcessor
    problems: dict[int, str]
    n_frames: int
    started: float = field(default_factory=time.perf_counter)

    @classmethod
    def prepare(
        cls,
        backmapper: LoadedModel,
        source: Source,
        options: BackmapOptions,
        limits: tuple[float, float],
        bridges: tuple[Bridge, ...] | None = None,
    ) -> PreparedRun:
        """Compute the reference frames of a coherent run, and set up hydrogens, where there are any.

        Parameters
        ----------
        backmapper, source, options
        limits : tuple of float
            Lowest and highest coordinate (Å) that the output can hold.
        bridges : tuple of (int, int), optional
            Disulfides of the first structure, where they are known. Hydrogens fit these in all frames.

        Raises
        ------
        LatcpbError
        """
        if source.trace.has_centers:
            _check_centers(backmapper, source, options)
        started = time.perf_counter()
        identity = ModelIdentity(__version__, backmapper.checksums)
        confident = not source.trace.has_centers and _has_confidence(backmapper, options)
        job = ChunkJob(
            source.trace, options, limits, templates=open_templates(source, options), identity=identity,
            has_confidence=confident,
        )  # fmt: skip
        job, problems = job.with_consensus(backmapper, source)
        if options.md is None:
            bridges = ()
        elif bridges is None:
            bridges = job.first_bridges(backmapper, source)
        topology = AtomTopology.heavy_atoms(source.trace)
        post_processor = open_post_processor(topology, options.md, backmapper.device, bridges)
        return cls(backmapper, source, job, post_processor, problems, source.n_frames, started)

    @property
    def options(self) -> BackmapOptions:
        """The options of the run."""
        return self.job.options

    def with_output(self, limits: tuple[float, float], options: BackmapOptions, n_frames: int) -> PreparedRun:
        """Return the run for another output, whose options differ in nothing that atoms depend on."""
        return replace(self, job=replace(self.job, limits=limits, options=options), n_frames=n_frames)

    def in_process(self) -> InProcess:
        """Return a builder that builds in this process."""
        return InProcess(self.backmapper, self.post_processor)

    def frames_per_chunk(self, n_frames: int, n_builders: int = 1) -> int:
        """How many of ``n_frames`` frames make a chunk, so that all builders end at about the same time."""
        n_residues = len(self.source.trace)
        block = self.backmapper.frames_per_block(n_residues)
        return frames_per_chunk(block, n_residues * self.options.samples, n_frames, n_builders)


class StoredChunks:
    """Gives chunks that have been built already.

    Parameters
    ----------
    chunks : sequence of BuiltChunk
        All chunks of a run.
    """

    count = 1

    def __init__(self, chunks: Sequence[BuiltChunk]) -> None:
        self._chunks = chunks

    def build(self, job: ChunkJob, chunks: Iterable[FrameChunk]) -> Generator[BuiltChunk, None, None]:
        """Yield the stored chunks; ``chunks`` is not read."""
        for built in self._chunks:
            yield job.mark_missing(built)


class InProcess:
    """Builds in this process."""

    count = 1

    def __init__(self, backmapper: LoadedModel, post_processor: PostProcessor) -> None:
        self._backmapper, self._post_processor = backmapper, post_processor

    def build(self, job: ChunkJob, chunks: Iterable[FrameChunk]) -> Generator[BuiltChunk, None, None]:
        """Build chunk after chunk; `RunProgress.take` measures each while the next one is built."""
        for chunk in chunks:
            yield job.build(self._backmapper, chunk, self._post_processor)


def open_templates(source: Source, options: BackmapOptions) -> TemplateSet:
    """Read the templates of a run, and match them to its residues.

    Raises
    ------
    InputError
    """
    if not options.template:
        return TemplateSet()
    paths, chains = options.template_paths, options.template_chains
    ranges, tolerance = options.template_ranges, options.template_tolerance
    return read_templates(paths, source.trace, chains, ranges, tolerance)


def frames_per_chunk(block: int, residues: int, frames: int, builders: int) -> int:
    """Whole blocks of the backmapper, at least one; sized so that all builders end at about the same time.

    ``residues`` are those of a frame and all of its samples.
    """
    most = max(1, RESIDUES_PER_CHUNK // (block * residues))
    blocks = math.ceil(frames / block)

    def longest(size: int) -> int:
        """Blocks of the builder that has most."""
        rounds = math.ceil(blocks / (size * builders)) - 1
        return rounds * size + min(size, blocks - rounds * size * builders)

    return block * min(range(most, (most + 1) // 2 - 1, -1), key=longest)


def _check_centers(backmapper: LoadedModel, source: Source, options: BackmapOptions) -> None:
    """Refuse beads at centres of atoms that cannot be served, before anything is built.

    Raises
    ------
    UsageError
        B factors need a confidence that is calibrated for Cα, and beads of side chains need packing.
    WeightsError
        The weights have no encoder of such beads.
    InputError
        The first frame does not hold centres of mass.
    """
    if options.bfactor == "confidence":
        raise UsageError(
            "--bfactor confidence is calibrated for Cα beads alone, not for centres of atoms", "leave it out"
        )
    if source.trace.side_chain_center is not None and not options.uses("packing"):
        raise UsageError(
            "beads of side chains choose rotamers by packing", "leave out --without or --beads ca+sc"
        )
    if source.trace.com_beads is None:
        return
    first = source.read_frames(np.arange(1))
    placed = place_ca(backmapper.predictor.bead_encoder, source.trace, first)
    index = int(first.indices[0])
    if placed.problems.get(index) != first.problems.get(index):
        raise InputError(
            f"frame {index}: {placed.problems[index]}",
            "give the kinds of the beads with --com-residues, or --beads ca",
        )


def _has_confidence(backmapper: LoadedModel, options: BackmapOptions) -> bool:
    """Whether the confidence in the structures is computed: for B factors, and for reports that can have it.

    Raises
    ------
    WeightsError
        B factors need a calibration, and the weights have none.
    """
    if options.bfactor == "confidence":
        require_calibration(backmapper.calibration)
        return True
    return options.report and options.has_predictions and backmapper.calibration is not None
