"""An evaluation as tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from latcpb_cli.errors import one_line
from latcpb_cli.evaluation.definitions import DEFINITIONS, Definition
from latcpb_cli.evaluation.records import Column, Evaluation
from latcpb_cli.evaluation.summary import figure

__all__ = ["print_definitions", "print_evaluation"]

_TORSIONS = {"phi": "φ", "psi": "ψ", "chi1": "χ1", "chi2": "χ2", "chi3": "χ3", "chi4": "χ4", "mean": "mean"}
_NONE = "–"
_MAX_NOTES = 8
"""Lines about what was matched and left out, for each column."""


def print_definitions(console: Console) -> None:
    """Print what each figure means, and where its definition comes from."""
    for entry in DEFINITIONS:
        source = f" [{entry.source}]" if entry.source else ""
        console.print(f"{entry.label} ({entry.name})", style="bold", highlight=False, markup=False)
        console.print(f"    {entry.text}{source}", highlight=False, markup=False)


def print_evaluation(evaluation: Evaluation, console: Console, checks: bool) -> None:
    """Print the notes and the tables of an evaluation."""
    for line in _heading(evaluation):
        console.print(one_line(line), highlight=False, markup=False, soft_wrap=True)
    tables = [_accuracy(evaluation), _torsions(evaluation), _group(evaluation, "validity", "validity")]
    tables.append(_group(evaluation, "shape", "shape"))
    tables.append(_group(evaluation, "beads", "distance from the beads of the input"))
    if checks:
        tables.append(_checks(evaluation))
    for table in tables:
        if table is not None and table.row_count:
            _print_whole(table, console)
    for method in evaluation.methods:
        if method.summary["diversity"] is not None:
            pairwise, div = map(_number, method.summary["diversity"].values())
            text = f"diversity of the samples of {method.name}: side chains {pairwise} Å apart, DIV {div}"
            console.print(one_line(text), highlight=False, markup=False, soft_wrap=True)


def _print_whole(table: Table, console: Console) -> None:
    """Print a table without shortening its cells; its lines may be longer than those of the terminal."""
    width = console.width
    console.width = max(width, Measurement.get(console, console.options.update(width=1000), table).maximum)
    console.print(table)
    console.width = width


def _heading(evaluation: Evaluation) -> Iterable[str]:
    columns = _columns(evaluation)
    for column in columns:
        summary = column.summary
        counts = {key: summary[key] for key in ("structures", "residues", "frames", "samples")}
        if summary["atoms"] is not None:
            counts["atoms compared"] = summary["atoms"]["compared"]
        yield f"{column.name}: {', '.join(f'{name} {count}' for name, count in counts.items())}"
    for method in evaluation.methods:
        atoms = method.summary["atoms"] or {}
        for side, count in atoms.items():
            if side != "compared" and count:
                where = "the reference" if side == "missing_in_reference" else method.name
                yield f"{count} atoms are missing in {where}" + (
                    f", which {method.name} has" if where == "the reference" else ""
                )
    for column in columns:
        if column.summary["left_out"]:
            names = ", ".join(f"{count} {name}" for name, count in column.summary["left_out"].items())
            yield f"left out of {column.name}: {names}"
        yield from column.notes[:_MAX_NOTES]
        if len(column.notes) > _MAX_NOTES:
            yield f"{len(column.notes) - _MAX_NOTES} more notes on {column.name} (--json has all)"
        yield from (f"not evaluated: {failure}" for failure in column.failures)
    sizes = {method.summary["structures"] for method in evaluation.methods}
    if len(sizes) > 1:
        yield "the columns hold different numbers of structures: their figures cannot be compared"


def _columns(evaluation: Evaluation) -> list[Column]:
    return [*([evaluation.reference] if evaluation.reference else []), *evaluation.methods]


def _accuracy(evaluation: Evaluation) -> Table | None:
    """Inner and all residues of one method; the inner residues of several."""
    methods = evaluation.methods
    entries = [entry for entry in DEFINITIONS if entry.group == "accuracy"]
    if evaluation.reference is None or not any("inner" in method.summary for method in methods):
        return None
    if len(methods) > 1:
        table = _table("against the reference, inner residues", [method.name for method in methods])
        for entry in entries:
            table.add_row(entry.label, *(_cell(method, entry) for method in methods))
        return table
    (method,) = methods
    headings = ["inner", "all"] + (["inner, 95 %"] if method.intervals else [])
    table = _table("against the reference", headings)
    for entry in entries:
        cells = [_cell(method, entry, region) for region in ("inner", "all")]
        table.add_row(entry.label, *cells, *([_interval(method, entry)] if method.intervals else []))
    return table


def _torsions(evaluation: Evaluation) -> Table | None:
    methods = [method for method in evaluation.methods if "torsions" in method.summary]
    if not methods:
        return None
    table = _table("torsions", list(_TORSIONS.values()))
    for method in methods:
        for kind, values in method.summary["torsions"].items():
            label = kind.upper() if len(methods) == 1 else f"{kind.upper()} {one_line(method.name)}"
            table.add_row(label, *(_number(values[name]) for name in _TORSIONS))
    return table


def _group(evaluation: Evaluation, group: str, title: str) -> Table:
    """One row for each figure of a group that is measured, the reference and methods beside each other."""
    columns = _columns(evaluation)
    table = _table(title, [column.name for column in columns])
    for entry in DEFINITIONS:
        cells = [_cell(column, entry) for column in columns] if entry.group == group else []
        if any(cell != _NONE for cell in cells):
            table.add_row(entry.label, *cells)
    return table


def _checks(evaluation: Evaluation) -> Table:
    columns = _columns(evaluation)
    table = _table("checks", [column.name for column in columns])
    for row in zip(*(column.checks for column in columns), strict=True):
        cells = []
        for check in row:
            failure = f"FAIL: {_number(check.value)}, limit {check.limit:g}"
            cells.append({True: "pass", None: _NONE}.get(check.passed, failure))
        table.add_row(row[0].label, *cells)
    failed = [sum(check.passed is False for check in column.checks) for column in columns]
    table.add_row("failed", *map(str, failed))
    return table


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title, *map(one_line, headings), box=box.SIMPLE_HEAD)
    for column in table.columns:
        column.no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _cell(column: Column, entry: Definition, region: str = "inner") -> str:
    value = figure(column.summary, entry, region)
    if value is None or entry.kind != "count":
        return _number(value)
    record = column.summary
    for key in (f"{region}.{entry.name}" if entry.group == "accuracy" else entry.name).split("."):
        record = record[key]
    return f"{record['count']}/{record['of']}"


def _interval(column: Column, entry: Definition) -> str:
    bounds = column.intervals.get(f"inner.{entry.name}")
    return _NONE if bounds is None else f"{_number(bounds[0])} to {_number(bounds[1])}"


def _number(value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:.4f}" if 0 < abs(value) < 0.1 else f"{value:.2f}"
