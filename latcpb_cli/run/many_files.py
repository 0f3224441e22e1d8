"""Many structures in one call: each file is a run of its own, and one that fails does not stop the others."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from latcpb_cli.diffusion.step_counter import OnSteps
from latcpb_cli.errors import InputError, LatcpbError, OutputExistsError, first_line
from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import BackmapOptions
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.run.output_labels import label_notes
from latcpb_cli.run.output_plan import OutputPlan
from latcpb_cli.run.pipeline import backmap_trajectory
from latcpb_cli.run.postprocess import preparation_notes
from latcpb_cli.run.prepared_run import open_templates
from latcpb_cli.run.provenance import provenance
from latcpb_cli.run.remote import load_model
from latcpb_cli.run.worker_process import WorkerSetup

__all__ = ["FileResult", "FileTask", "backmap_files", "expand_inputs", "plan_tasks", "write_summary"]

_LISTS = (".txt", ".lst", ".list")
"""Files that name one input a line."""
_PACKED = (".gz", ".bz2", ".xz")
_IN_FOLDERS = (".pdb", ".cif", ".gro", ".ent", ".pdb1")
"""Formats of single structures that are taken from a folder."""


@dataclass(frozen=True)
class FileTask:
    """One input and its output."""

    path: Path
    output: Path


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Attributes
    ----------
    file : str
    outputs : tuple of str
        Files written, the main one first.
    residues, frames : int
    clashes : dict
        The summary of its clash report.
    problems : dict of int to str
        What is wrong with frames, by frame number.
    notes : tuple of str
        What was decided for the user, and warnings.
    error, hint : str
        Why there is no output; empty where there is one.
    exit_code : int
    """

    file: str
    outputs: tuple[str, ...] = ()
    residues: int = 0
    frames: int = 0
    clashes: dict[str, Any] | None = None
    problems: dict[int, str] | None = None
    notes: tuple[str, ...] = ()
    error: str = ""
    hint: str = ""
    exit_code: int = 0


def expand_inputs(given: Sequence[Path]) -> list[Path]:
    """Replace folders by the structures in them, and list files by the paths that they name.

    Raises
    ------
    InputError
        A folder has no structures, or a list file cannot be read or is empty.
    """
    paths: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(
                file for file in path.iterdir() if file.is_file() and _format(file) in _IN_FOLDERS
            )
            if not inside:
                raise InputError(
                    f"{path}: no structures in this folder", f"it has no {' '.join(_IN_FOLDERS)}"
                )
            paths += inside
        elif path.suffix.lower() in _LISTS:
            paths += _read_list(path)
        else:
            paths.append(path)
    return paths


def plan_tasks(paths: Sequence[Path], folder: Path, suffix: str = ".pdb") -> list[FileTask]:
    """Give every input an output in a folder, by its name.

    Raises
    ------
    OutputExistsError
        Two inputs would have the same output.
    """
    tasks: dict[Path, FileTask] = {}
    for path in paths:
        stem = path.stem if path.suffix.lower() not in _PACKED else Path(path.stem).stem
        output = folder / f"{stem}{suffix}"
        if output in tasks:
            raise OutputExistsError(
                f"{path} and {tasks[output].path}: both would be {output}", "rename one of them"
            )
        tasks[output] = FileTask(path, output)
    return list(tasks.values())


def backmap_files(
    tasks: Sequence[FileTask],
    setup: WorkerSetup,
    reading: ReadOptions,
    options: BackmapOptions,
    workers: int = 0,
    on_steps: OnSteps | None = None,
) -> Iterator[FileResult]:
    """Backmap every file with a model that each process loads once; results come as they are ready.

    Parameters
    ----------
    tasks : sequence of FileTask
    setup : WorkerSetup
    reading : ReadOptions
    options : BackmapOptions
    workers : int
        Processes that share the files; 0 for this process alone.
    on_steps : OnSteps, optional
        Called with the steps of a file that this process builds; see `LoadedModel.reporting`.
    """
    if not workers:
        yield from (_backmap_file(task, setup, reading, options, on_steps) for task in tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=setup.initializer) as pool:
        futures = {pool.submit(_backmap_file, task, setup, reading, options): task for task in tasks}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield FileResult(
                    str(futures[future].path),
                    error="a worker was lost",
                    hint="out of memory? use fewer workers, then give the same command with --resume",
                    exit_code=1,
                )


def write_summary(path: Path, results: Sequence[FileResult]) -> None:
    """Write what became of every file as JSON."""
    rows = [asdict(result) for result in sorted(results, key=lambda result: result.file)]
    content = {"provenance": provenance([]), "failed": sum(bool(row["error"]) for row in rows), "files": rows}
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(content, indent=1) + "\n")
    part.replace(path)


def _backmap_file(
    task: FileTask,
    setup: WorkerSetup,
    reading: ReadOptions,
    options: BackmapOptions,
    on_steps: OnSteps | None = None,
) -> FileResult:
    if setup.threads:
        torch.set_num_threads(setup.threads)
    try:
        with OutputPlan.reserve(task.output, options, [task.path]) as plan:
            source = open_source([task.path], None, reading).keeping_backbone(options.keep_backbone)
            plan.check_fit(source, options.samples)
            made = (*label_notes(plan, source.trace), *preparation_notes(source.trace, options.md))
            templates = open_templates(source, options)
            notes = (*source.notes, *templates.notes, *made, *source.warnings)
            summary = backmap_trajectory(load_model(setup).reporting(on_steps), source, plan, options)
    except LatcpbError as error:
        failed = FileResult(str(task.path), error=error.message, hint=error.hint)
        return replace(failed, exit_code=int(error.exit_code))
    except OSError as error:
        return FileResult(str(task.path), error=first_line(error), exit_code=int(InputError.exit_code))
    return FileResult(
        str(task.path),
        tuple(str(output) for output in summary.outputs),
        len(source.trace),
        summary.n_frames,
        summary.clashes,
        summary.problems,
        notes,
    )


def _format(path: Path) -> str:
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in _PACKED else suffix


def _read_list(path: Path) -> list[Path]:
    hint = "a list has the path of one structure a line"
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path}: {first_line(error)}", hint) from error
    named = [path.parent / line for line in lines if line and not line.startswith("#")]
    if not named:
        raise InputError(f"{path}: an empty list", hint)
    return named
