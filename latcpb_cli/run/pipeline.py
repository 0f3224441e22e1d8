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
from typing import Any, Protocol, TypeVar

import torch

from latcpb_cli import __version__
from latcpb_cli.backmapper import Backmapper
from latcpb_cli.chem.naming import Naming
from latcpb_cli.complete.completion import Disulfides
from latcpb_cli.errors import UsageError
from latcpb_cli.io.open_source import Source
from latcpb_cli.io.writers.atom_writer import coordinate_limits, open_writer, output_files
from latcpb_cli.io.writers.frame_writer import ResumePoint
from latcpb_cli.io.writers.part_file import take_back
from latcpb_cli.options import MdOptions, Mode, choose_mode
from latcpb_cli.run.chunk_job import RESIDUES_PER_CHUNK, BuiltChunk, ChunkJob, MeasuredChunk
from latcpb_cli.run.journal import Journal, input_facts, journal_path
from latcpb_cli.run.output_checks import check_output
from latcpb_cli.run.postprocess import PostProcessor, open_post_processor
from latcpb_cli.run.progress import RunProgress
from latcpb_cli.run.provenance import provenance
from latcpb_cli.run.report import ReportWriter
from latcpb_cli.structure import FrameChunk

__all__ = ["Builder", "RunSummary", "backmap_trajectory", "report_files"]

_PROBLEMS_REPORTED = 1000

Item = TypeVar("Item")


class Builder(Protocol):
    """Who builds chunks of frames.

    Attributes
    ----------
    count : int
        How many chunks it builds at a time.
    """

    count: int

    def build(
        self, recipe: ChunkJob, chunks: Iterable[FrameChunk]
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
    """

    n_frames: int
    n_samples: int
    n_residues: int
    seconds: float
    outputs: tuple[Path, ...]
    clashes: dict[str, Any] = field(default_factory=dict)

    @property
    def residues_per_second(self) -> float:
        """Residues times frames times samples per second."""
        return self.n_residues * self.n_frames * self.n_samples / max(self.seconds, 1e-9)


def report_files(output: Path) -> tuple[Path, Path]:
    """Names of the JSON and CSV reports beside an output."""
    return output.with_suffix(".report.json"), output.with_suffix(".report.csv")


def backmap_trajectory(
    backmapper: Backmapper,
    source: Source,
    output: Path | str,
    *,
    samples: int = 1,
    seed: int = 0,
    mode: Mode | None = None,
    coherence: float = 0.0,
    ca_tolerance: float = 0.0,
    disulfides: Disulfides = "auto",
    naming: Naming = "pdb",
    md: MdOptions | None = None,
    overwrite: bool = False,
    resume: bool = False,
    report: Path | str | None = None,
    builder: Builder | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> RunSummary:
    """Backmap a trajectory chunk by chunk, with memory flat in its length.

    Parameters
    ----------
    backmapper : Backmapper
    source : Source
    output : pathlib.Path
        ``.pdb``, ``.xtc``, ``.dcd`` or ``.trr``.
    samples : int
        All-atom reconstructions of each frame.
    seed : int
        Noise depends on it, the number of the sample, and the trace (without
        ``coherence``: the number of the frame) only.
    mode : {'best', 'ensemble', 'exact'}, optional
        One deterministic structure per frame, draws by a fast solver, or draws
        by all steps of equation 8. By default best for one sample, ensemble
        for several.
    coherence : float
        How far (Å) the chain's shape around a residue changes before a sample
        of it is another one, or, in best mode, before frames have no vote in
        each other's side chains; 0 builds each frame by itself.
    ca_tolerance : float
        How far (Å) a Cα may move, where the beads leave no room for good
        peptides. The report says how far they did.
    disulfides : {'auto', 'none'}
        Whether cysteines that stand as if they had one are joined, frame by frame.
    naming : {'pdb', 'charmm', 'amber'}
        Whose names residues and atoms get in PDB files and topologies.
    md : MdOptions, optional
        Hydrogens and minimisation; needs OpenMM.
    overwrite : bool
    resume : bool
        Go on where a run with the same settings was interrupted, if one was.
    report : pathlib.Path or None
        Clash report as JSON; the CSV of the same name stands beside it.
    builder : Builder, optional
        Who builds the chunks: by default ``backmapper``, in this process.
    on_progress : callable or None
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
    mode = choose_mode(mode, samples)
    output, trace = Path(output), source.trace
    report_paths = () if report is None else (Path(report), Path(report).with_suffix(".csv"))
    replace = overwrite or (resume and journal_path(output).is_file())
    check_output(output, replace, beside=report_paths, inputs=source.paths)
    if builder is not None and md is not None:
        raise UsageError("hydrogens and minimisation have no workers", "leave out --workers and --scheduler")
    outputs = (*output_files(output), *report_paths)
    finisher = open_post_processor(backmapper, source, md, seed=seed, mode=mode, disulfides=disulfides)
    limits, counted = coordinate_limits(output), bool(report_paths)
    recipe = ChunkJob(trace, samples, seed, mode, coherence, ca_tolerance, disulfides, limits, counted)
    options = {**recipe.options, "naming": naming}
    with ExitStack() as stack:
        settings = {**options, "md": md and asdict(md), **_identity(backmapper, source, outputs)}
        journal = stack.enter_context(Journal(output, settings, resume))
        if journal.renaming:
            take_back(outputs)
        writer = stack.enter_context(
            open_writer(
                output,
                finisher.topology,
                n_frames=source.n_frames,
                n_samples=samples,
                interval=source.interval,
                remarks=_remarks(backmapper, seed, mode),
                naming=naming,
                resume=_resume_point(journal, samples),
            )
        )
        reporter = None
        if report_paths:
            reporter = stack.enter_context(ReportWriter(*report_paths, trace, journal.mark))
        recipe = recipe.with_consensus(backmapper, source)
        ledger = RunProgress(recipe, source, writer, reporter, journal, started)
        builder = builder or _Here(backmapper, finisher)
        block, left = backmapper.frames_per_block(len(trace)), source.n_frames - ledger.done
        size = _frames_per_chunk(block, len(trace) * samples, left, builder.count)
        _stream(builder, ledger, size, on_progress or (lambda done: None))
        clashes = {}
        writer.finish()
        if reporter is not None:
            found = {"ca_moved": ledger.moved(), "deep_overlaps": ledger.deep_overlaps()}
            facts = {**options, **found, **finisher.facts, "seconds": ledger.seconds}
            clashes = reporter.finish(provenance(source.paths, **_run_facts(backmapper, source), **facts))
        journal.begin_renaming()
        writer.commit()
        if reporter is not None:
            reporter.commit()
        journal.remove()
    return RunSummary(ledger.done, samples, len(trace), ledger.seconds, outputs, clashes)


class _Here:
    """Builds in this process."""

    count = 1

    def __init__(self, backmapper: Backmapper, finisher: PostProcessor) -> None:
        self._backmapper, self._finisher = backmapper, finisher

    def build(self, recipe: ChunkJob, chunks: Iterable[FrameChunk]) -> Generator[BuiltChunk, None, None]:
        """Build chunk after chunk; `RunProgress.take` measures them while the next one is built."""
        for chunk in chunks:
            yield recipe.build(self._backmapper, chunk, self._finisher)


def _stream(builder: Builder, ledger: RunProgress, size: int, on_progress: Callable[[int], None]) -> None:
    """Read, build and write what is left to do, each of them one chunk ahead of the next."""
    on_progress(ledger.done)
    with ExitStack() as stack:
        thread = stack.enter_context(ThreadPoolExecutor(1, "writing"))
        chunks = stack.enter_context(closing(_ahead(ledger.source.chunks(size, ledger.done))))
        writing: Future[int] | None = None
        for built in stack.enter_context(closing(builder.build(ledger.recipe, chunks))):
            if writing is not None:
                on_progress(writing.result())
            writing = thread.submit(ledger.take, built)
        if writing is not None:
            on_progress(writing.result())


def _ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Take items in a thread, one ahead of who uses them."""
    with ThreadPoolExecutor(1, "reading") as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def _frames_per_chunk(block: int, residues: int, frames: int, builders: int) -> int:
    """Whole blocks of the backmapper, one at least; so many that no builder works on when others have done.

    ``residues`` are those of a frame and all of its samples.
    """
    most = max(1, RESIDUES_PER_CHUNK // (block * residues))
    blocks = math.ceil(frames / block)

    def longest(size: int) -> int:
        """Blocks of the builder that has most."""
        rounds = math.ceil(blocks / (size * builders)) - 1
        return rounds * size + min(size, blocks - rounds * size * builders)

    return block * min(range(most, (most + 1) // 2 - 1, -1), key=longest)


def _identity(backmapper: Backmapper, source: Source, outputs: Iterable[Path]) -> dict[str, Any]:
    """All that the bytes of the output depend on, beside the options."""
    return {
        "latcpb": __version__,
        "weights": backmapper.weights_sha256,
        "device": torch.device(backmapper.device).type,
        "inputs": input_facts(source.paths),
        "outputs": [path.name for path in outputs],
        **source.identity,
    }


def _resume_point(journal: Journal, samples: int) -> ResumePoint | None:
    entry = journal.mark
    return None if entry is None else ResumePoint(entry.files, entry.frames * samples, entry.bridges)


def _remarks(backmapper: Backmapper, seed: int, mode: Mode) -> list[str]:
    return [
        f"LATCPB {__version__}, WEIGHTS {backmapper.weights_name}, SEED {seed}, MODE {mode.upper()}",
        "SHA256 OF THE WEIGHTS:",
        backmapper.weights_sha256,
    ]


def _run_facts(backmapper: Backmapper, source: Source) -> dict[str, Any]:
    """Collect what the provenance says about this run."""
    return {
        "weights": {"name": backmapper.weights_name, "sha256": backmapper.weights_sha256},
        "device": backmapper.device,
        "frames": source.n_frames,
        "residues": len(source.trace),
        "warnings": list(source.warnings),
        "frames_with_problems": len(source.problems),
        "frame_problems": dict(sorted(source.problems.items())[:_PROBLEMS_REPORTED]),
    }
