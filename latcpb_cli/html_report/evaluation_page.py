"""The page of an evaluation: tiles, tables, definitions and origin."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import datetime

from latcpb_cli.evaluation.definitions import Definition, definition
from latcpb_cli.evaluation.records import Column, Evaluation
from latcpb_cli.evaluation.summary import figure
from latcpb_cli.html_report.evaluation_data import evaluation_data
from latcpb_cli.html_report.page import Cell, Page, SummaryTable, Tile, split_unit

__all__ = ["evaluation_page"]

_TILES = (
    "rmsd.all_heavy", "rmsd.backbone", "chi.chi1", "validity.overlap04_per_1000",
    "validity.ramachandran_favoured", "validity.ramachandran_outliers",
)  # fmt: skip
_TITLES = {
    "accuracy": "Against the reference",
    "torsions": "Torsion distributions",
    "samples": "Samples",
    "beads": "Distance from the beads of the input",
    "shape": "Shape",
    "validity": "Validity",
}
_STACKS = (("accuracy", "torsions", "samples", "shape", "beads"), ("validity",))
_SUPERPOSED = {
    "none": "nothing is superposed",
    "chain": "each chain is superposed on the reference over Cα",
    "frame": "each frame is superposed on the reference over Cα",
}


def evaluation_page(evaluation: Evaluation) -> Page:
    """Lay out the report of an evaluation."""
    stacks = [[table for group in stack if (table := _table(evaluation, group)).rows] for stack in _STACKS]
    first = 0 if evaluation.reference is None else 1
    return Page(
        title=f"Evaluation of {', '.join(column.name for column in evaluation.methods)}",
        subtitle=_subtitle(evaluation),
        tiles={first + place: _tiles(evaluation, column) for place, column in enumerate(evaluation.methods)},
        tables=[stack for stack in stacks if stack],
        remarks=[(f"checks of {column.name}", _checks(column)) for column in _columns(evaluation)],
        definitions=[(entry.label, entry.text, entry.source) for entry in evaluation.definitions],
        origin=_origin(evaluation),
        data=evaluation_data(evaluation),
    )


def _columns(evaluation: Evaluation, entry_group: str = "") -> list[Column]:
    """The columns of a table: the reference stands beside methods where it can be measured itself."""
    own = evaluation.reference
    beside = entry_group in ("validity", "shape", "")
    return [*([own] if own is not None and beside else []), *evaluation.methods]


def _subtitle(evaluation: Evaluation) -> str:
    first = evaluation.methods[0].summary
    counts = [
        f"{first[name]:,} {name if first[name] != 1 else name.removesuffix('s')}"
        for name in ("structures", "residues", "frames")
    ]
    samples = f", {first['samples']} samples of each frame" if first["samples"] > 1 else ""
    return f"{', '.join(counts)}{samples}; {_SUPERPOSED[evaluation.superpose]}"


def _tiles(evaluation: Evaluation, method: Column) -> list[Tile]:
    reference = evaluation.reference
    tiles = []
    for entry in map(definition, _TILES):
        value = figure(method.summary, entry)
        if value is None:
            continue
        label, unit = split_unit(entry.label)
        note = ""
        if reference is not None and entry.group == "validity":
            note = f"reference: {_number(figure(reference.summary, entry), entry)} {unit}"
        tiles.append(Tile(label, f"{_number(value, entry)} {unit}", note))
    return tiles


def _table(evaluation: Evaluation, group: str) -> SummaryTable:
    columns = _columns(evaluation, group)
    offset = len(columns) - len(evaluation.methods)
    rows = []
    for entry in (entry for entry in evaluation.definitions if entry.group == group):
        values = [figure(column.summary, entry) for column in columns]
        if all(value is None for value in values):
            continue
        best = {offset + place for place in _best(values[offset:], entry)}
        cells = [
            Cell(_number(value, entry), _interval(column, entry), place in best)
            for place, (column, value) in enumerate(zip(columns, values, strict=True))
        ]
        rows.append((entry.label, cells))
    return SummaryTable(_TITLES[group], [column.name for column in columns], rows)


def _interval(column: Column, entry: Definition) -> str:
    """The interval of 95 % of a figure, where there is one."""
    interval = column.intervals.get(f"inner.{entry.name}" if entry.group == "accuracy" else entry.name)
    if interval is None or entry.kind == "count":
        return ""
    low, high = (_number(bound, entry) for bound in interval)
    return "" if low == high else f"{low} to {high}"


def _best(values: Sequence[float | None], entry: Definition) -> set[int]:
    """Places of the best of several values; none where all are equal."""
    known = [value for value in values if value is not None]
    if not entry.better or len(known) < 2 or min(known) == max(known):
        return set()
    goal = max(known) if entry.better == "higher" else min(known)
    return {place for place, value in enumerate(values) if value == goal}


def _checks(column: Column) -> str:
    """How many checks pass, and which fail."""
    known = [check for check in column.checks if check.passed is not None]
    failed = [
        f"{check.label} ({check.value:.4g}, limit {check.limit:g})"
        for check in known
        if not check.passed and check.value is not None
    ]
    passed = f"{len(known) - len(failed)} of {len(known)} pass"
    return f"{passed}; failing: {', '.join(failed)}" if failed else passed


def _origin(evaluation: Evaluation) -> list[tuple[str, str]]:
    entries = [("command", shlex.join(["latcpb", *sys.argv[1:]]))]
    for column in _columns(evaluation):
        files = [file for structure in column.structures for file in structure.files]
        shown = ", ".join(files[:6]) + (f" and {len(files) - 6} more" if len(files) > 6 else "")
        entries.append((column.name, shown or "in memory"))
        entries += [("", note) for note in column.notes]
    entries.append(("written", datetime.now().astimezone().isoformat(timespec="seconds")))
    return entries


def _number(value: float | None, entry: Definition) -> str:
    if value is None:
        return "–"
    if entry.kind == "count":
        return f"{value:.0f}"
    if 0 < abs(value) < 0.1:
        return f"{value:.4f}"
    return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"
