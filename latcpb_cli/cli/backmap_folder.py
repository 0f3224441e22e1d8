"""``latcpb backmap *.pdb -o folder/``: every input is a structure of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from latcpb_cli.cli.machine import Machine
from latcpb_cli.cli.messages import Messages
from latcpb_cli.errors import InputError, OutputExistsError, QualityGateError
from latcpb_cli.options import BackmapOptions
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.run.malloc import keep_freed_memory
from latcpb_cli.run.many_files import FileResult, backmap_files, expand_inputs, plan_tasks, write_summary
from latcpb_cli.run.quality_gate import check_limits
from latcpb_cli.run.remote import load_model

__all__ = ["backmap_folder"]

_SUMMARY = "backmap.report.json"


def backmap_folder(
    given: Sequence[Path],
    folder: Path,
    reading: ReadOptions,
    options: BackmapOptions,
    machine: Machine,
    messages: Messages,
    limits: Mapping[str, float],
) -> None:
    """Backmap all inputs into a folder, with one summary of all.

    Raises
    ------
    InputError
        Some of the files could not be built; the others are.
    QualityGateError
        Some results are over a limit.
    """
    paths = expand_inputs(given)
    folder.mkdir(exist_ok=True)
    summary = folder / _SUMMARY
    if summary.exists() and not (options.overwrite or options.resume):
        raise OutputExistsError(
            f"{summary}: exists already", "choose another --output, or add --overwrite or --resume"
        )
    tasks = plan_tasks(paths, folder)
    keep_freed_memory()
    machine.use_threads()
    setup, workers = machine.setup(), machine.workers or 0
    if not workers:
        setup = replace(setup, threads=machine.threads or 0)
        load_model(setup)  # weights that are missing end the run before its first file
    results: list[FileResult] = []
    with messages.progress(len(tasks), 1, "files") as progress:
        progress.update(0)
        for result in backmap_files(tasks, setup, reading, options, workers, progress.steps):
            results.append(result)
            messages.file(result)
            progress.update(len(results))
    write_summary(summary, results)
    messages.files(results, summary)
    if failed := [result for result in results if result.error]:
        raise InputError(
            f"{len(failed)} of {len(results)} files could not be built", f"see {summary}; the others are done"
        )
    over = [result.file for result in results if limits and _is_over(result, limits)]
    if over:
        raise QualityGateError(f"over the limit: {', '.join(over[:5])}", f"see {summary}")


def _is_over(result: FileResult, limits: Mapping[str, float]) -> bool:
    try:
        check_limits(result.clashes or {"peaks": {}}, limits)
    except QualityGateError:
        return True
    return False
