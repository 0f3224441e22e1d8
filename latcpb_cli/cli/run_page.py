"""``latcpb backmap --report-html``: the page of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latcpb_cli.errors import OutputExistsError, UsageError
from latcpb_cli.options import BackmapOptions
from latcpb_cli.read_options import FrameWindow

if TYPE_CHECKING:
    from latcpb_cli.run.output_plan import OutputPlan
    from latcpb_cli.structure import CGTrace

__all__ = ["ReportHtml", "check_page", "write_page"]

MAX_STRUCTURES, MAX_RESIDUES = 200, 40_000
"""Structures of the output, evenly spaced, that are measured in detail, and residues of them all."""

ReportHtml = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.html",
        help="Write the report as a page: tables, plots and a 3D view in one file that needs no network.",
        show_default=False,
    ),
]


def check_page(path: Path, options: BackmapOptions) -> None:
    """Refuse a page that cannot be written, before any work is done.

    Raises
    ------
    UsageError
        The run has no report, or the folder does not exist.
    OutputExistsError
    """
    if not options.report:
        raise UsageError("--report-html needs the report", "leave out --no-report")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: no such folder {path.parent}", "make the folder first")
    if path.is_dir():
        raise OutputExistsError(f"{path}: is a folder", "give the name of a file, such as report.html")
    if path.exists() and not (options.overwrite or options.resume):
        raise OutputExistsError(f"{path}: exists already", "choose another name, or add --overwrite")


def write_page(path: Path, plan: OutputPlan, trace: CGTrace, n_structures: int) -> None:
    """Write the page of a finished run.

    Parameters
    ----------
    path : pathlib.Path
    plan : OutputPlan
        Its files are read again.
    trace : CGTrace
        The residues of the input.
    n_structures : int
        Frames times samples of the output.

    Raises
    ------
    OutputError
        The page cannot be written.
    """
    from latcpb_cli.evaluation.evaluate import evaluate
    from latcpb_cli.evaluation.inputs import EvaluationFiles, open_columns
    from latcpb_cli.html_report.run_page import RunReport, run_page

    n_measured = max(1, min(MAX_STRUCTURES, MAX_RESIDUES // len(trace)))
    is_trajectory = plan.structure_file != plan.output
    _, methods = open_columns(
        EvaluationFiles(
            reference=None,
            methods=(plan.output,),
            names=("backmapped",),
            method_tops=(plan.structure_file,) if is_trajectory else (),
            window=FrameWindow(stride=-(-n_structures // n_measured)),
        )
    )
    report = RunReport.read(*plan.report_files, trace.labels)
    run_page(report, evaluate(None, methods)).write(path)
