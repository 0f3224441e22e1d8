"""``latcpb backmap``: options in, one call of the pipeline, a table out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from latcpb_cli.choices import TEMPLATE_TOLERANCE, parse_parts
from latcpb_cli.cli import bead_options as kind
from latcpb_cli.cli import options as opt
from latcpb_cli.cli import preparation
from latcpb_cli.cli import template_options as templates
from latcpb_cli.cli.run_page import ReportHtml, check_page, write_page
from latcpb_cli.errors import UsageError
from latcpb_cli.options import BackmapOptions
from latcpb_cli.read_options import FrameWindow, ReadOptions

if TYPE_CHECKING:
    from latcpb_cli.cli.machine import Machine
    from latcpb_cli.cli.messages import Messages
    from latcpb_cli.io.source import Source
    from latcpb_cli.run.output_plan import OutputPlan
    from latcpb_cli.run.pipeline import RunSummary

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
    keep_backbone: opt.KeepBackbone = False,
    template: templates.Template = None,
    template_map: templates.TemplateMap = None,
    template_only_domains: templates.TemplateOnlyDomains = None,
    template_tolerance: templates.TemplateTolerance = TEMPLATE_TOLERANCE,
    disulfides: opt.Disulfides = "auto",
    naming: opt.Naming = "pdb",
    topology: opt.Topology = "pdb",
    bfactor: opt.BFactor = None,
    without: opt.Without = None,
    hydrogens: preparation.Hydrogens = False,
    minimize: preparation.Minimize = None,
    ph: preparation.Ph = None,
    force_field: preparation.ForceField = None,
    solvent: preparation.Solvent = None,
    restraint: preparation.Restraint = None,
    fail_on: opt.FailOn = None,
    overwrite: opt.Overwrite = False,
    resume: opt.Resume = False,
    no_report: opt.NoReport = False,
    report_html: ReportHtml = None,
    top: opt.Top = None,
    selection: opt.Selection = None,
    pbc: opt.Pbc = "whole",
    scale: opt.Scale = 1.0,
    sequence: opt.Sequence = None,
    on_unknown: opt.OnUnknown = "error",
    bead: kind.Bead = None,
    beads: kind.Beads = "auto",
    com_residues: kind.ComResidues = None,
    sc_bead: kind.ScBead = None,
    sc_center: kind.ScCenter = "mass",
    chain_ends: opt.ChainEnds = "geometry",
    cyclic: opt.Cyclic = False,
    format: opt.Format = None,
    force: opt.Force = False,
    begin: opt.Begin = None,
    end: opt.End = None,
    stride: opt.Stride = 1,
    frames: opt.Frames = None,
    drop_repeated_times: opt.DropRepeatedTimes = False,
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
    if workers is not None and scheduler is not None:
        raise UsageError("--workers and --scheduler exclude each other", "give one of them")
    if fail_on is not None and no_report:
        raise UsageError("--fail-on needs the report", "leave out --no-report")
    details = {"ph": ph, "force_field": force_field, "solvent": solvent, "restraint": restraint}
    options = BackmapOptions(
        samples=samples, seed=_seed_number(seed), mode=mode, coherence=coherence,
        ca_tolerance=ca_tolerance, keep_backbone=keep_backbone, template=template or (),
        template_map=template_map, template_only_domains=template_only_domains,
        template_tolerance=template_tolerance, disulfides=disulfides,
        naming=naming, topology=topology, bfactor=bfactor,
        without=() if without is None else parse_parts(without),
        md=preparation.md_options(hydrogens, minimize, details), report=not no_report, overwrite=overwrite,
        resume=resume,
    )  # fmt: skip
    reading = ReadOptions(
        selection=selection, pbc=pbc, window=FrameWindow(begin, end, stride, frames), scale=scale,
        sequence=sequence, on_unknown=on_unknown, bead=bead, beads=beads, com_residues=com_residues,
        sc_bead=sc_bead, sc_center=sc_center, chain_ends=chain_ends, strict=strict, force=force,
        format=format, drop_repeated_times=drop_repeated_times, cyclic=cyclic,
    )  # fmt: skip

    from latcpb_cli.cli.messages import Messages
    from latcpb_cli.cli.startup import start_torch

    start_torch()
    from latcpb_cli.cli.backmap_folder import backmap_folder
    from latcpb_cli.cli.machine import Machine
    from latcpb_cli.device import resolve_device
    from latcpb_cli.io.open_source import open_source
    from latcpb_cli.run.output_labels import label_notes
    from latcpb_cli.run.output_plan import OutputPlan
    from latcpb_cli.run.postprocess import preparation_notes
    from latcpb_cli.run.prepared_run import open_templates
    from latcpb_cli.run.quality_gate import check_limits, limit_names, parse_limits

    machine = Machine(weights, resolve_device(device), threads, workers, scheduler)
    limits = {} if fail_on is None else parse_limits(fail_on, limit_names(options.md))
    messages = Messages(quiet=quiet, verbose=verbose)
    if output is not None and _is_folder(output):
        if top is not None or sequence is not None or scheduler is not None:
            raise UsageError(
                f"--output {output} is a folder: every input is a structure of its own",
                "leave out --top, --sequence and --scheduler, or give a file such as all.xtc",
            )
        if report_html is not None:
            raise UsageError("--report-html is for a single output", "give a file such as all.xtc")
        backmap_folder(trajectories, output, reading, options, machine, messages, limits)
        return
    if report_html is not None:
        check_page(report_html, options)
    inputs = [path for path in (top, *trajectories, sequence and Path(sequence)) if path]
    with OutputPlan.reserve(output or _default_output(trajectories[0], format), options, inputs) as plan:
        source = open_source(trajectories, top, reading).keeping_backbone(options.keep_backbone)
        messages.source(source, seed=options.seed if seed == "random" else None)
        plan.check_fit(source, samples)
        messages.notes(open_templates(source, options).notes)
        messages.notes([*label_notes(plan, source.trace), *preparation_notes(source.trace, options.md)])
        summary = _run(source, plan, options, machine, messages)
    messages.result(summary)
    if report_html is not None:
        write_page(report_html, plan, source.trace, summary.n_frames * summary.n_samples)
        messages.notes([f"wrote {report_html}"])
    if limits:
        check_limits(summary.clashes, limits)


def _run(
    source: Source,
    plan: OutputPlan,
    options: BackmapOptions,
    machine: Machine,
    messages: Messages,
) -> RunSummary:
    """Load the model, start the workers if there are any, and build."""
    from latcpb_cli.loaded_model import LoadedModel
    from latcpb_cli.run.malloc import keep_freed_memory
    from latcpb_cli.run.pipeline import backmap_trajectory
    from latcpb_cli.run.workers import LocalWorkers

    keep_freed_memory()
    machine.use_threads(len(source.trace) * source.n_frames * options.samples)
    progress = messages.progress(source.n_frames, len(source.trace) * options.samples)
    builder = machine.builder(source, options, lambda note: messages.notes([note]), progress.steps)
    backmapper = LoadedModel.from_pretrained(machine.weights, device=machine.device)
    if isinstance(builder, LocalWorkers):
        builder.wait()
    try:
        with progress:
            reporting = backmapper.reporting(progress.steps)
            return backmap_trajectory(
                reporting, source, plan, options, builder=builder, on_progress=progress.update
            )
    except KeyboardInterrupt:
        messages.interrupted(plan.output)
        raise


def _seed_number(seed: str) -> int:
    if seed == "random":
        import secrets

        return secrets.randbelow(2**31)
    if not re.fullmatch(r"[0-9]{1,18}", seed):
        raise UsageError(f"--seed '{seed}' is not possible", "give a number from 0 up, or 'random'")
    return int(seed)


def _is_folder(output: Path) -> bool:
    """Whether an output is a folder for one file per input: it is there, or its name has no suffix."""
    return str(output) != "." and (output.is_dir() or not output.suffix)


def _default_output(trajectory: Path, format: str | None) -> Path:
    """Name of the output in the current folder: ``traj.backmapped.xtc``."""
    suffix = trajectory.suffix.lower() if format is None else f".{format.lower().removeprefix('.')}"
    if suffix not in _SAME_FORMAT:
        suffix = ".xtc" if suffix == ".nc" else ".pdb"
    return Path(f"{trajectory.stem}.backmapped{suffix}")
