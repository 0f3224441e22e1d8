"""``latcpb evaluate``: structures against their reference, or alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latcpb_cli import choices
from latcpb_cli.cli import evaluate_options as opt
from latcpb_cli.cli import options as common
from latcpb_cli.errors import InputError, OutputExistsError, QualityGateError, UsageError
from latcpb_cli.read_options import FrameWindow, ReadOptions

if TYPE_CHECKING:
    from latcpb_cli.evaluation.evaluate import MethodInput
    from latcpb_cli.evaluation.inputs import EvaluationFiles
    from latcpb_cli.evaluation.records import Evaluation

__all__ = ["evaluate"]


def evaluate(
    files: opt.Files = None,
    name: opt.Names = None,
    superpose: opt.Superpose = "none",
    checks: opt.Checks = False,
    fail_on: opt.FailOn = None,
    explain: opt.Explain = False,
    ref_top: opt.RefTop = None,
    gen_top: opt.GenTop = None,
    samples: opt.Samples = None,
    select: opt.Selection = None,
    beads: opt.Beads = None,
    beads_top: opt.BeadsTop = None,
    bead_kinds: opt.BeadKinds = "auto",
    com_residues: opt.ComResidues = None,
    sc_bead: opt.ScBead = None,
    sc_center: opt.ScCenter = "mass",
    begin: common.Begin = None,
    end: common.End = None,
    stride: common.Stride = 1,
    frames: common.Frames = None,
    json: opt.Json = None,
    csv: opt.Csv = None,
    report: opt.Report = None,
    overwrite: opt.Overwrite = False,
    quiet: common.Quiet = False,
) -> None:
    """Measure all-atom structures, and compare them with a reference.

    Nothing is superposed by default, as the Cα are given. Residues are matched
    by chain, number and insertion code, or else by sequence; frames by their
    order. Figures are of inner residues, which leave out chain ends and breaks,
    unless a table names another set. Beads (--beads) are compared residue by
    residue with those of the input.
    """
    from rich.console import Console

    console = Console(quiet=quiet)
    if explain:
        from latcpb_cli.cli.evaluation_tables import print_definitions

        print_definitions(console)
    if not files:
        if explain:
            return
        raise UsageError("nothing to evaluate", "give a structure, or a reference and structures")
    outputs = _outputs(json, csv, report)
    _check_outputs(outputs, overwrite)
    limits = _parse_limits(fail_on)
    reading = ReadOptions(beads=bead_kinds, com_residues=com_residues, sc_bead=sc_bead, sc_center=sc_center)
    if beads is None and (beads_top is not None or reading != ReadOptions()):
        raise UsageError("options of beads without --beads", "give the coarse-grained file with --beads")

    from latcpb_cli.cli.evaluation_tables import print_evaluation
    from latcpb_cli.evaluation.inputs import BeadFiles, EvaluationFiles

    chosen = EvaluationFiles(
        reference=files[0] if len(files) > 1 else None,
        methods=tuple(files[1:]) if len(files) > 1 else tuple(files),
        names=tuple(name or ()), reference_top=ref_top, method_tops=tuple(gen_top or ()), samples=samples,
        window=FrameWindow(begin, end, stride, frames), selection=select,
        beads=None if beads is None else BeadFiles(beads, beads_top, reading),
    )  # fmt: skip
    evaluation = _run(chosen, superpose, quiet)
    print_evaluation(evaluation, console, checks)
    _write(outputs, evaluation)
    failures = [failure for column in evaluation.methods for failure in column.failures]
    if failures:
        raise InputError(f"{len(failures)} structures were not evaluated: {failures[0]}")
    _check_limits(evaluation, limits)


def _outputs(json: Path | None, csv: str | None, report: Path | None) -> dict[str, Path]:
    """Files to write, by what they hold."""
    from latcpb_cli.evaluation.csv_files import CSV_NAMES

    outputs = {kind: path for kind, path in {"json": json, "report": report}.items() if path is not None}
    return outputs | ({} if csv is None else {part: Path(f"{csv}.{part}.csv") for part in CSV_NAMES})


def _check_outputs(outputs: dict[str, Path], overwrite: bool) -> None:
    """Raise where a file cannot be written, before anything is read."""
    for path in outputs.values():
        if not path.parent.is_dir():
            raise UsageError(f"{path}: no such folder {path.parent}", "make the folder first")
        if path.exists() and not overwrite:
            raise OutputExistsError(f"{path} exists", "add --overwrite to replace it")


def _run(files: EvaluationFiles, superpose: choices.Superpose, quiet: bool) -> Evaluation:
    """Open and measure everything under a progress bar on stderr."""
    from rich.console import Console

    from latcpb_cli.cli.progress import FrameProgress
    from latcpb_cli.evaluation.evaluate import evaluate as evaluate_columns
    from latcpb_cli.evaluation.inputs import open_columns

    reference, methods = open_columns(files)
    frames, residues = _size([*methods, *([] if reference is None else [reference])])
    console = Console(stderr=True, quiet=quiet)
    done = 0
    with FrameProgress(console, frames, residues // frames, quiet, activity="evaluating") as progress:

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress.update(done)

        progress.update(0)
        return evaluate_columns(reference, methods, superpose, advance)


def _size(columns: list[MethodInput]) -> tuple[int, int]:
    """Frames, and residues of all frames."""
    atoms = [part.atoms for column in columns for part in column.structures]
    return sum(map(len, atoms)), sum(len(part) * len(part.trace) for part in atoms)


def _write(outputs: dict[str, Path], evaluation: Evaluation) -> None:
    import os

    from latcpb_cli.evaluation.csv_files import CSV_NAMES, csv_texts
    from latcpb_cli.evaluation.json_file import json_text

    texts = csv_texts(evaluation) if CSV_NAMES[0] in outputs else {}
    for kind, path in outputs.items():
        if kind == "report":
            _write_page(path, evaluation)
            continue
        text = json_text(evaluation) if kind == "json" else texts[kind]
        part = Path(f"{path}.part")
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)


def _write_page(path: Path, evaluation: Evaluation) -> None:
    from latcpb_cli.html_report.evaluation_page import evaluation_page

    evaluation_page(evaluation).write(path)


def _parse_limits(fail_on: str | None) -> dict[str, float]:
    if fail_on is None:
        return {}
    from latcpb_cli.evaluation.limits import limit_names
    from latcpb_cli.run.quality_gate import parse_limits

    return parse_limits(fail_on, limit_names())


def _check_limits(evaluation: Evaluation, limits: dict[str, float]) -> None:
    from latcpb_cli.evaluation.limits import exceeded

    if over := exceeded(evaluation, limits):
        raise QualityGateError(f"worse than the limit: {'; '.join(over)}", "--explain defines each figure")
