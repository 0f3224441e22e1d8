"""The whole data flow on one page: read, build, measure, write, report.

Reading runs one chunk ahead in a thread, measuring and writing one chunk behind in another, but for the last
chunk; in between the model builds, in this process or in workers. What is safe on the disk is in the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch

from latcpb_cli import __version__
from latcpb_cli.errors import UsageError
from latcpb_cli.io.source import Source
from latcpb_cli.io.writers.atom_writer import STRUCTURE_SUFFIXES, open_writer
from latcpb_cli.io.writers.frame_writer import OutputSpec, ResumePoint
from latcpb_cli.io.writers.part_file import undo_renames
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.bfactors import BFactors
from latcpb_cli.run.chunk_job import ChunkJob
from latcpb_cli.run.completed import complete_already, run_remark
from latcpb_cli.run.journal import input_identity
from latcpb_cli.run.output_labels import chains_renamed_in, label_notes
from latcpb_cli.run.output_plan import OutputPlan
from latcpb_cli.run.postprocess import preparation_notes
from latcpb_cli.run.prepared_run import Builder, PreparedRun
from latcpb_cli.run.progress import RunOutputs, RunProgress
from latcpb_cli.run.provenance import provenance
from latcpb_cli.run.report import ReportWriter
from latcpb_cli.structure import FrameChunk
from latcpb_cli.weights import MODEL_FILE

__all__ = ["RunSummary", "backmap_trajectory", "run_settings", "write_run"]

_MAX_PROBLEMS = 1000
"""In the report."""

Item = TypeVar("Item")


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
    backmapper: LoadedModel,
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
    backmapper : LoadedModel
    source : Source
    output : pathlib.Path, str or OutputPlan
        ``.pdb``, ``.cif``, ``.xtc``, ``.dcd`` or ``.trr``.
    options : BackmapOptions, optional
    builder : Builder, optional
        Builds the chunks: by default ``backmapper``, in this process.
    on_progress : callable, optional
        Called with the number of frames done, at the beginning and by the thread that writes them.

    Returns
    -------
    RunSummary

    Raises
    ------
    OutputExistsError, OutputError, UsageError, InputError
        Where some frames were done, they stay and the run can be resumed.
    """
    options = options or BackmapOptions()
    source = source.keeping_backbone(options.keep_backbone)
    if builder is not None and options.md is not None:
        raise UsageError("hydrogens and minimisation have no workers", "leave out --workers and --scheduler")
    with ExitStack() as stack:
        if isinstance(output, OutputPlan):
            plan = output
        else:
            plan = stack.enter_context(OutputPlan.reserve(output, options, source.paths))
        settings = run_settings(backmapper, source, options, plan)
        if options.resume and not plan.journal.has_entries:
            if (clashes := complete_already(plan, settings)) is not None:
                counts = source.n_frames, options.samples, len(source.trace)
                return RunSummary(*counts, 0.0, plan.files, clashes, complete_already=True)
            if not options.overwrite:
                plan.refuse_existing()
        plan.journal.begin(settings, options.resume)
        if plan.journal.renaming:
            undo_renames(plan.files)
        bridges = None if plan.journal.entry is None else plan.journal.entry.bridges
        run = PreparedRun.prepare(backmapper, source, options, plan.coordinate_limits, bridges)
        return write_run(run, plan, settings, builder, on_progress)


def write_run(
    run: PreparedRun,
    plan: OutputPlan,
    settings: dict[str, Any],
    builder: Builder | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> RunSummary:
    """Build, measure and write the frames of a run that are not in its journal.

    Parameters
    ----------
    run : PreparedRun
    plan : OutputPlan
        Its journal has begun.
    settings : dict
        See `run_settings`.
    builder, on_progress
        See `backmap_trajectory`.

    Returns
    -------
    RunSummary

    Raises
    ------
    OutputError, InputError
    """
    source, options = run.source, run.options
    with ExitStack() as stack:
        spec = _output_spec(run, settings)
        outputs = _open_outputs(stack, plan, run, spec)
        progress = RunProgress(run.job, outputs, run.started, source.strict)
        progress.problems.update(run.problems)
        builder = builder or run.in_process()
        size = run.frames_per_chunk(run.n_frames - progress.done, builder.count)
        chunks = source.chunks(size, progress.done)
        _stream(builder, run.job, chunks, run.n_frames, progress, on_progress)
        outputs.writer.finish()
        clashes = {}
        if outputs.reporter is not None:
            facts = {**_report_facts(run, plan, progress), **run.post_processor.settings}
            clashes = outputs.reporter.finish(provenance((*source.paths, *options.template_paths), **facts))
        outputs.commit()
    counts = run.n_frames, options.samples, len(source.trace)
    problems = dict(sorted(progress.problems.items()))
    return RunSummary(*counts, progress.seconds, plan.files, clashes, problems)


def _output_spec(run: PreparedRun, settings: dict[str, Any]) -> OutputSpec:
    """What the first bytes of an output depend on."""
    backmapper, options = run.backmapper, run.options
    remarks = [
        f"LATCPB {__version__}, WEIGHTS {backmapper.weights_name}, SEED {options.seed}, "
        f"MODE {options.settled_mode.upper()}",
        "SHA256 OF THE WEIGHTS:",
        backmapper.checksums[MODEL_FILE],
        run_remark(settings),
    ]
    numbers = run.n_frames, options.samples, run.source.interval
    return OutputSpec(*numbers, remarks, options.naming, options.topology, options.bfactor is not None)


def _open_outputs(stack: ExitStack, plan: OutputPlan, run: PreparedRun, spec: OutputSpec) -> RunOutputs:
    """Open all files of a run, where its journal says that they go on."""
    entry, resume, topology = plan.journal.entry, None, run.post_processor.topology
    if entry is not None:
        resume = ResumePoint(entry.parts, entry.frames * spec.n_samples, entry.bridges)
    writer = stack.enter_context(open_writer(plan.output, topology, spec, resume))
    reporter = None
    if plan.report:
        states = None if entry is None else entry.parts
        tables = run.job.has_confidence, bool(run.job.templates.templates)
        reporter = stack.enter_context(ReportWriter(*plan.report_files, topology.trace, states, *tables))
    names_atoms = plan.output.suffix.lower() in STRUCTURE_SUFFIXES
    bfactors = BFactors(topology, run.options.bfactor) if names_atoms or spec.mean_bfactors else None
    return RunOutputs(writer, reporter, plan.journal, bfactors)


def _stream(
    builder: Builder,
    job: ChunkJob,
    chunks: Iterator[FrameChunk],
    n_frames: int,
    progress: RunProgress,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Read, build and write the chunks, each of these steps one chunk ahead of the next.

    Nothing else happens while the first chunk is read and the last one, up to ``n_frames``, is written: both
    happen in this thread, whose core has in its cache what they need.
    """
    report = on_progress or (lambda done: None)
    report(progress.done)
    built_frames = progress.done
    with ExitStack() as stack:
        thread = stack.enter_context(ThreadPoolExecutor(1, "writing"))
        ahead = stack.enter_context(closing(_prefetch(chunks)))
        writing: Future[None] | None = None
        for built in stack.enter_context(closing(builder.build(job, ahead))):
            if writing is not None:
                writing.result()
                writing = None
            built_frames += len(built.chunk)
            if built_frames < n_frames:
                writing = thread.submit(lambda chunk: report(progress.take(chunk)), built)
            else:
                report(progress.take(built))
        if writing is not None:
            writing.result()


def _prefetch(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Take items in a thread, one ahead of their consumer, but for the first."""
    with ThreadPoolExecutor(1, "reading") as thread:
        item = next(items, None)
        while item is not None:
            coming = thread.submit(next, items, None)
            yield item
            item = coming.result()


def run_settings(
    backmapper: LoadedModel, source: Source, options: BackmapOptions, plan: OutputPlan
) -> dict[str, Any]:
    """Return all that the bytes of an output depend on; ready for JSON."""
    return {
        **options.settings(),
        "latcpb": __version__,
        "weights": dict(backmapper.checksums),
        "device": torch.device(backmapper.device).type,
        "inputs": input_identity(source.paths),
        **_template_identity(options),
        "outputs": [path.name for path in plan.files],
        **source.identity,
    }


def _template_identity(options: BackmapOptions) -> dict[str, Any]:
    """The content of the templates, wherever their files are; nothing without templates."""
    if not options.template:
        return {}
    files = input_identity(options.template_paths)
    return {"templates": [{name: file[name] for name in ("size", "sha256")} for file in files]}


def _report_facts(run: PreparedRun, plan: OutputPlan, progress: RunProgress) -> dict[str, Any]:
    """What the provenance records of this run."""
    backmapper, source, templates = run.backmapper, run.source, run.job.templates
    displacement, trace = progress.displacement, source.trace
    beads = {"ca": {name: displacement.summary()[name] for name in ("mean", "max")}}
    if trace.has_centers:
        beads["sc" if trace.com_beads is None else "com"] = displacement.center_summary()
    return {
        "weights": {"name": backmapper.weights_name, "sha256": backmapper.checksums[MODEL_FILE]},
        "device": backmapper.device,
        "frames": run.n_frames,
        "residues": len(source.trace),
        "notes": [
            *source.notes,
            *templates.notes,
            *label_notes(plan, source.trace),
            *preparation_notes(source.trace, run.options.md),
        ],
        "renamed_chains": [asdict(chain) for chain in chains_renamed_in(plan, source.trace)],
        "warnings": list(source.warnings),
        "frames_with_problems": len(progress.problems),
        "frame_problems": dict(sorted(progress.problems.items())[:_MAX_PROBLEMS]),
        **{name: value for name, value in run.options.settings().items() if name != "md"},
        "ca_moved": displacement.summary(),
        "bead_distances": beads,
        **({"templates": templates.facts} if templates.facts else {}),
        "deep_overlaps": asdict(progress.overlap_counts),
        "seconds": progress.seconds,
    }
