"""The messages of ``latcpb backmap``, all of them on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from latcpb_cli.cli.progress import FrameProgress
from latcpb_cli.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from latcpb_cli.io.source import Source
    from latcpb_cli.run.many_files import FileResult
    from latcpb_cli.run.pipeline import RunSummary

__all__ = ["Messages"]

_NAMES_SHOWN, _FRAMES_SHOWN = 6, 3
_CLASHES = {
    "contact12_percent": "residues with a contact below 1.2 Å, %",
    "overlap04_per_1000": "overlaps of 0.4 Å or more, per 1,000 atoms",
}


class Messages:
    """Prints to stderr; nothing in quiet mode.

    Parameters
    ----------
    quiet, verbose : bool
    """

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self._quiet, self._verbose = quiet, verbose
        self._console = Console(stderr=True, quiet=quiet, highlight=False, markup=False, soft_wrap=True)

    def source(self, source: Source, seed: int | None) -> None:
        """Print what was read, and what was decided for the user."""
        trace, write = source.trace, self._print
        n_chains = int(trace.chain_index[-1]) + 1
        write(
            f"{self._files(source.paths)}: {_several(source.n_frames, 'frame')} of "
            f"{_several(len(trace), 'residue')} in {_several(n_chains, 'chain')}"
        )
        if source.left_out:
            write(f"left out, no amino acid with a Cα bead: {self._counts(source.left_out)}")
        if source.renamed:
            write(f"read as: {self._counts({f'{a} as {b}': n for (a, b), n in source.renamed.items()})}")
        if modified := trace.count_modified():
            write(f"modified: {self._counts(modified)}")
        self.notes(source.notes)
        if self._verbose:
            for index in range(n_chains):
                members = (trace.chain_index == index).nonzero()[0]
                first, last = trace.labels[members[0]], trace.labels[members[-1]]
                write(f"chain {index + 1}: {first} to {last}, {len(members)} residues")
        for warning in source.warnings:
            write(f"warning: {warning}")
        if seed is not None:
            write(f"seed {seed}")

    def notes(self, notes: Sequence[str]) -> None:
        """Print further decisions, one line each."""
        for note in notes:
            self._print(note)

    def _problems(self, summary: RunSummary) -> None:
        """Warn once of each frame that was not sound, the first few of them."""
        problems = summary.problems
        shown = len(problems) if self._verbose else _FRAMES_SHOWN
        for index, problem in list(problems.items())[:shown]:
            self._print(f"warning: frame {index}, {problem}")
        rest = len(problems) - shown
        if rest > 0:
            self._print(f"warning: {_several(rest, 'more frame')} like that (-v shows them)")

    def progress(self, count: int, residues_each: int, unit: str = "frames") -> FrameProgress:
        """Make the progress display of a run of so many frames, or files."""
        return FrameProgress(self._console, count, residues_each, self._quiet, unit)

    def file(self, result: FileResult) -> None:
        """Print what became of one file of many, where that is not what was expected."""
        if result.error:
            self._print(f"error: {result.error}" + (f" ({result.hint})" if result.hint else ""))
        for note in result.notes if self._verbose else ():
            self._print(f"{result.file}: {note}")
        for index, problem in list((result.problems or {}).items())[:_FRAMES_SHOWN]:
            self._print(f"warning: {result.file}: frame {index}, {problem}")

    def files(self, results: Sequence[FileResult], summary: Path) -> None:
        """Print how many files were built."""
        done = [result for result in results if not result.error]
        residues = sum(result.residues * result.frames for result in done)
        self._print(f"{_several(len(done), 'file')} of {len(results)} built, {residues:,} residues")
        self._print(f"wrote {summary}")

    def interrupted(self, output: Path) -> None:
        """Print how the run is continued, if some of its frames are done."""
        if output.with_name(output.name + ".journal").is_file():
            self._print("interrupted; the same command with --resume goes on from here")

    def result(self, summary: RunSummary) -> None:
        """Print what was written, how fast, and with which problems and clashes."""
        self._problems(summary)
        if summary.clashes:
            self._console.print(_clash_table(summary.clashes))
        if summary.complete_already:
            self._print(f"complete already: {' '.join(str(path) for path in summary.outputs)}")
            return
        self._console.print(
            f"{_several(summary.n_frames, 'frame')}, {_several(summary.n_samples, 'sample')} each, "
            f"in {summary.seconds:.1f} s "
            f"({summary.residues_per_second:,.0f} residues/s)"
        )
        self._print(f"wrote {' '.join(str(path) for path in summary.outputs)}")

    def _print(self, text: str) -> None:
        """Print one line; names of files, chains and residues may hold anything."""
        self._console.print(one_line(text))

    def _files(self, paths: tuple[Path, ...]) -> str:
        """List the names of files, the first few unless the user wants all."""
        shown = len(paths) if self._verbose else _NAMES_SHOWN
        text = " ".join(path.name for path in paths[:shown])
        rest = len(paths) - shown
        return f"{text} and {_several(rest, 'more file')} (-v shows them)" if rest > 0 else text

    def _counts(self, counts: dict[str, int]) -> str:
        """Names and how often, the first few unless the user wants all."""
        shown = len(counts) if self._verbose else _NAMES_SHOWN
        text = ", ".join(f"{name} ({count:,})" for name, count in list(counts.items())[:shown])
        rest = len(counts) - shown
        return f"{text} and {rest} more (-v shows them)" if rest > 0 else text


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _clash_table(clashes: dict[str, Any]) -> Table:
    """Lay out the summary of the clash report."""
    table = Table(title="clashes", title_justify="left")
    for column in ("", "mean", "worst", "worst frame"):
        table.add_column(column, justify="right" if column else "left")
    worst = clashes["worst_frame"] or {"frame": "", "sample": ""}
    where = f"{worst['frame']}, sample {worst['sample']}"
    for name, label in _CLASHES.items():
        values = clashes[name]
        table.add_row(label, f"{values['mean']:.2f}", f"{values['max']:.2f}", where)
        where = ""
    if clashes["worst_residues"]:
        names = [entry["residue"] for entry in clashes["worst_residues"][:3]]
        table.caption = f"most often: {', '.join(names)}"
    return table
