"""``latcpb backmap``: options in, one call of the pipeline, a table out."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from latcpb_cli.cli import options as opt
from latcpb_cli.cli.preparation import md_options
from latcpb_cli.errors import UsageError
from latcpb_cli.options import choose_mode

if TYPE_CHECKING:
    from latcpb_cli.run.workers import ClusterWorkers, LocalWorkers, Setup

__all__ = ["backmap"]

_SAME_FORMAT = (".xtc", ".dcd", ".trr")
"""Inputs whose output has the same format by default; .nc becomes .xtc."""


def backmap(
    trajectories: opt.Trajectories,
    output: opt.Output = None,
    samples: opt.Samples = 1,
    mode: opt.Mode = None,
    seed: opt.Seed = "0",
    coherence: opt.Coherence = 0.0,
    ca_tolerance: opt.CaTolerance = 0.0,
    disulfides: opt.Disulfides = opt.DisulfidesName.auto,
    naming: opt.Naming = opt.NamingName.pdb,
    hydrogens: opt.Hydrogens = False,
    minimize: opt.Minimize = None,
    ph: opt.Ph = None,
    force_field: opt.ForceField = None,
    solvent: opt.Solvent = None,
    restraint: opt.Restraint = None,
    fail_on: opt.FailOn = None,
    overwrite: opt.Overwrite = False,
    resume: opt.Resume = False,
    no_report: opt.NoReport = False,
    top: opt.Top = None,
    selection: opt.Selection = None,
    pbc: opt.Pbc = opt.PbcName.whole,
    scale: opt.Scale = 1.0,
    sequence: opt.Sequence = None,
    on_unknown: opt.OnUnknown = opt.UnknownName.error,
    force: opt.Force = False,
    begin: opt.Begin = None,
    end: opt.End = None,
    stride: opt.Stride = 1,
    frames: opt.Frames = None,
    strict: opt.Strict = False,
    weights: opt.Weights = None,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    workers: opt.Workers = None,
    scheduler: opt.Scheduler = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    debug: opt.Debug = False,
) -> None:
    """Build all heavy atoms on a coarse-grained trajectory of Cα beads.

    Lengths are in Å (nm inside .gro, .xtc and .trr), times in ps. The Cα stay
    where they are, unless --ca-tolerance lets them move.
    """
    number = _seed_number(seed)
    if workers is not None and scheduler is not None:
        raise UsageError("--workers and --scheduler exclude each other", "give one of them")
    output = output or _default_output(trajectories[0])
    md = md_options(
        hydrogens=hydrogens, minimize=minimize, ph=ph, force_field=force_field, solvent=solvent,
        restraint=restraint, naming=naming.value,
    )  # fmt: skip
    if fail_on is not None and no_report:
        raise UsageError("--fail-on needs the report", "leave out --no-report")

    from latcpb_cli.backmapper import Backmapper
    from latcpb_cli.cli.messages import Messages
    from latcpb_cli.device import resolve_device
    from latcpb_cli.io.open_source import open_source
    from latcpb_cli.io.readers.frame_choice import FrameChoice
    from latcpb_cli.run.journal import journal_path
    from latcpb_cli.run.malloc import keep_freed_memory
    from latcpb_cli.run.output_checks import check_fit, check_output
    from latcpb_cli.run.pipeline import backmap_trajectory, report_files
    from latcpb_cli.run.postprocess import limit_names
    from latcpb_cli.run.quality_gate import check_limits, parse_limits
    from latcpb_cli.run.workers import LocalWorkers, Setup, worthwhile_workers

    place = resolve_device(device)
    settled = choose_mode(mode.value if mode else None, samples)
    limits = {} if fail_on is None else parse_limits(fail_on, limit_names(md))
    choice = FrameChoice(begin, end, stride, frames)
    reports = () if no_report else report_files(output)
    inputs = trajectories if top is None else [top, *trajectories]
    interrupted = resume and journal_path(output).is_file()
    check_output(output, overwrite or interrupted, beside=reports, inputs=inputs)
    messages = Messages(quiet=quiet, verbose=verbose)
    source = open_source(
        trajectories, top, selection=selection, pbc=pbc.value, choice=choice, scale=scale, sequence=sequence,
        on_unknown=on_unknown.value, strict=strict, force=force,
    )  # fmt: skip
    messages.source(source, seed=number if seed == "random" else None)
    check_fit(output, source, samples)
    keep_freed_memory()
    _use_threads(threads)
    setup = Setup(weights, place, threads or 1)
    if workers is None and scheduler is None and md is None:
        # As many processes as threads, instead of these.
        workers = worthwhile_workers(len(source.trace), source.n_frames * samples, place)
        setup = Setup(weights, place)
    builder = _builder(workers, scheduler, setup)
    backmapper = Backmapper.from_pretrained(weights, device=place)
    if isinstance(builder, LocalWorkers):
        builder.wait()
    try:
        with messages.progress(source.n_frames, len(source.trace) * samples) as progress:
            summary = backmap_trajectory(
                backmapper,
                source,
                output,
                samples=samples,
                seed=number,
                mode=settled,
                coherence=coherence,
                ca_tolerance=ca_tolerance,
                disulfides=disulfides.value,
                naming=naming.value,
                md=md,
                overwrite=overwrite,
                resume=resume,
                builder=builder,
                report=reports[0] if reports else None,
                on_progress=progress.update,
            )
    except KeyboardInterrupt:
        messages.interrupted(output)
        raise
    messages.problems(source)
    messages.result(summary)
    if limits:
        check_limits(summary.clashes, limits)


def _seed_number(seed: str) -> int:
    if seed == "random":
        return secrets.randbelow(2**31)
    if not re.fullmatch(r"[0-9]{1,18}", seed):
        raise UsageError(f"--seed '{seed}' is not possible", "give a number from 0 up, or 'random'")
    return int(seed)


def _default_output(trajectory: Path) -> Path:
    """Name of the output in the current folder: ``traj.backmapped.xtc``."""
    suffix = trajectory.suffix.lower()
    if suffix not in _SAME_FORMAT:
        suffix = ".xtc" if suffix == ".nc" else ".pdb"
    return Path(f"{trajectory.stem}.backmapped{suffix}")


def _builder(
    workers: int | None, scheduler: str | None, setup: Setup
) -> LocalWorkers | ClusterWorkers | None:
    """Who builds, where it is not this process."""
    from latcpb_cli.run.workers import ClusterWorkers, LocalWorkers

    if scheduler is not None:
        return ClusterWorkers(setup, scheduler)
    return LocalWorkers(setup, workers) if workers else None


def _use_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
