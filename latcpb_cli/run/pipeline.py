"""The whole data flow on one page: read, build, measure, write, report.

Reading runs one chunk ahead in a thread, measuring and writing one chunk behind in another; in between the
model builds, in this process or in workers. What is safe on the disk is in the journal.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch

from latcpb_cli import __version__
from latcpb_cli.backmapper import Backmapper
from latcpb_cli.errors import UsageError
from latcpb_cli.io.source import Source
from latcpb_cli.io.writers.atom_writer import open_writer
from latcpb_cli.io.writers.frame_writer import OutputSpec, ResumePoint
from latcpb_cli.io.writers.part_file import undo_renames
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.chunk_job import RESIDUES_PER_CHUNK, BuiltChunk, ChunkJob, ModelIdentity
from latcpb_cli.run.completed import complete_already, run_remark
from latcpb_cli.run.journal import Journal, input_identity
from latcpb_cli.run.measure import MeasuredChunk
from latcpb_cli.run.output_plan import OutputPlan
from latcpb_cli.run.postprocess import PostProcessor, open_post_processor
from latcpb_cli.run.progress import RunOutputs, RunProgress
from latcpb_cli.run.provenance import provenance
from latcpb_cli.run.report import ReportWriter
from latcpb_cli.structure import AtomTopology, Bridge, FrameChunk

__all__ = ["Builder", "RunSummary", "backmap_trajectory"]

_MAX_PROBLEMS = 1000
"""In the report."""

Item = TypeVar("Item")


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


@dataclass(frozen=True)
class RunSummary:
    """What a run made.

    Attributes
    ----------
    n_frames, n_samples, n_residues : int
    seconds : float
        Wall time without loading the model.
    outputs : tuple of pathlib.Path
        Files written, the main one first.
    clashes : dict
        The summary of the clash report.
    problems : dict of int to str
        What is wrong with frames, by frame number.
    complete_already : bool
        Whether an earlier run with the same settings had made the files.
    """

    n_frames: int
    n_samples: int
    n_residues: int
    seconds: float
    outputs: tuple[Path, ...]
    clashes: dict[str, Any] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)
    complete_already: bool = False

    @property
    def residues_per_second(self) -> float:
        """Residues times frames times samples per second."""
        return self.n_residues * self.n_frames * self.n_samples / max(self.seconds, 1e-9)


def backmap_trajectory(
    backmapper: Backmapper,
    source: Source,
    output: Path | str | OutputPlan,
    options: BackmapOptions | None = None,
    *,
    builder: Builder | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> RunSummary:
    """Backmap a trajectory chunk by chunk, with memory flat in its length.

    Parameters
    ----------
    backmapper : Backmapper
    source : Source
    output : pathlib.Path, str or OutputPlan
        ``.pdb``, ``.cif``, ``.xtc``, ``.dcd`` or ``.trr``.
    options : BackmapOptions, optional
    builder : Builder, optional
        Builds the chunks: by default ``backmapper``, in this process.
    on_progress : callable, optional
        Called with the number of frames done, at the beginning as well.

    Returns
    -------
    RunSummary

    Raises
    ------
    OutputExistsError, OutputError, UsageError, InputError
        Where some frames were done, they stay and the run can be resumed.
    """
    started = time.perf_counter()
    options = options or BackmapOptions()
    if builder is not None and options.md is not None:
        raise UsageError("hydrogens and minimisation have no workers", "leave out --workers and --scheduler")
    with ExitStack() as stack:
        if isinstance(output, OutputPlan):
            plan = output
        else:
            plan = stack.enter_context(OutputPlan.reserve(output, options, source.paths))
        settings = {**options.settings(), **_identity(backmapper, source, plan)}
        counts = source.n_frames, options.samples, len(source.trace)
        if options.resume and not plan.journal.has_entries:
            if (clashes := complete_already(plan, settings)) is not None:
                return RunSummary(*counts, 0.0, plan.files, clashes, complete_already=True)
            if not options.overwrite:
                plan.refuse_existing()
        plan.journal.begin(settings, options.resume)
        if plan.journal.renaming:
            undo_renames(plan.files)
        identity = ModelIdentity(__version__, backmapper.weights_sha256)
        job = ChunkJob(source.trace, options, plan.coordinate_limits, identity=identity)
        job, problems = job.with_consensus(backmapper, source)
        post_processor = _open_post_processor(job, backmapper, source, plan.journal)
        spec = _output_spec(backmapper, source, options, settings)
        outputs = _open_outputs(stack, plan, post_processor.topology, spec)
        progress = RunProgress(job, outputs, started, source.strict)
        progress.problems.update(problems)
        builder = builder or _InProcess(backmapper, post_processor)
        n_residues = len(source.trace) * options.samples
        block, left = backmapper.frames_per_block(len(source.trace)), source.n_frames - progress.done
        size = _frames_per_chunk(block, n_residues, left, builder.count)
        _stream(builder, job, source.chunks(size, progress.done), progress, on_progress)
        outputs.writer.finish()
        clashes = {}
        if outputs.reporter is not None:
            facts = _report_facts(backmapper, source, options, progress)
            clashes = outputs.reporter.finish(provenance(source.paths, **facts, **post_processor.settings))
        outputs.commit()
    problems = dict(sorted(progress.problems.items()))
    return RunSummary(*counts, progress.seconds, plan.files, clashes, problems)


class _InProcess:
    """Builds in this process."""

    count = 1

    def __init__(self, backmapper: Backmapper, post_processor: PostProcessor) -> None:
        self._backmapper, self._post_processor = backmapper, post_processor

    def build(self, job: ChunkJob, chunks: Iterable[FrameChunk]) -> Generator[BuiltChunk, None, None]:
        """Build chunk after chunk; `RunProgress.take` measures each while the next one is built."""
        for chunk in chunks:
            yield job.build(self._backmapper, chunk, self._post_processor)


def _open_post_processor(
    job: ChunkJob, backmapper: Backmapper, source: Source, journal: Journal
) -> PostProcessor:
    """Hydrogens, if any, fit the disulfides of the first structure, which a journal has already."""
    md = job.options.md
    bridges: tuple[Bridge, ...] = ()
    if md is not None:
        bridges = journal.entry.bridges if journal.entry else job.first_bridges(backmapper, source)
    return open_post_processor(AtomTopology.heavy_atoms(source.trace), md, backmapper.device, bridges)


def _output_spec(
    backmapper: Backmapper, source: Source, options: BackmapOptions, settings: dict[str, Any]
) -> OutputSpec:
    """What the first bytes of an output depend on."""
    remarks = [
        f"LATCPB {__version__}, WEIGHTS {backmapper.weights_name}, SEED {options.seed}, "
        f"MODE {options.settled_mode.upper()}",
        "SHA256 OF THE WEIGHTS:",
        backmapper.weights_sha256,
        run_remark(settings),
    ]
    numbers = source.n_frames, options.samples, source.interval
    return OutputSpec(*numbers, remarks, options.naming, options.topology)


def _open_outputs(stack: ExitStack, plan: OutputPlan, topology: AtomTopology, spec: OutputSpec) -> RunOutputs:
    """Open all files of a run, where its journal says that they go on."""
    entry, resume = plan.journal.entry, None
    if entry is not None:
        resume = ResumePoint(entry.parts, entry.frames * spec.n_samples, entry.bridges)
    writer = stack.enter_context(open_writer(plan.output, topology, spec, resume))
    reporter = None
    if plan.report:
        states = None if entry is None else entry.parts
        reporter = stack.enter_context(ReportWriter(*plan.report_files, topology.trace, states))
    return RunOutputs(writer, reporter, plan.journal)


def _stream(
    builder: Builder,
    job: ChunkJob,
    chunks: Iterator[FrameChunk],
    progress: RunProgress,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Read, build and write the chunks, each of these steps one chunk ahead of the next."""
    report = on_progress or (lambda done: None)
    report(progress.done)
    with ExitStack() as stack:
        thread = stack.enter_context(ThreadPoolExecutor(1, "writing"))
        ahead = stack.enter_context(closing(_prefetch(chunks)))
        writing: Future[int] | None = None
        for built in stack.enter_context(closing(builder.build(job, ahead))):
            if writing is not None:
                report(writing.result())
            writing = thread.submit(progress.take, built)
        if writing is not None:
            report(writing.result())


def _prefetch(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Take items in a thread, one ahead of their consumer."""
    with ThreadPoolExecutor(1, "reading") as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def _frames_per_chunk(block: int, residues: int, frames: int, builders: int) -> int:
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


def _identity(backmapper: Backmapper, source: Source, plan: OutputPlan) -> dict[str, Any]:
    """All that the bytes of the output depend on, beside the options."""
    return {
        "latcpb": __version__,
        "weights": backmapper.weights_sha256,
        "device": torch.device(backmapper.device).type,
        "inputs": input_identity(source.paths),
        "outputs": [path.name for path in plan.files],
        **source.identity,
    }


def _report_facts(
    backmapper: Backmapper, source: Source, options: BackmapOptions, progress: RunProgress
) -> dict[str, Any]:
    """What the provenance records of this run."""
    return {
        "weights": {"name": backmapper.weights_name, "sha256": backmapper.weights_sha256},
        "device": backmapper.device,
        "frames": source.n_frames,
        "residues": len(source.trace),
        "notes": list(source.notes),
        "warnings": list(source.warnings),
        "frames_with_problems": len(progress.problems),
        "frame_problems": dict(sorted(progress.problems.items())[:_MAX_PROBLEMS]),
        **{name: value for name, value in options.settings().items() if name != "md"},
        "ca_moved": progress.displacement.summary(),
        "deep_overlaps": asdict(progress.overlap_counts),
        "seconds": progress.seconds,
    }
