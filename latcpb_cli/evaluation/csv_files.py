"""The tables of an evaluation as CSV: per frame, per residue, per residue type and per chain."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from latcpb_cli.evaluation.records import Column, Evaluation

__all__ = ["CSV_NAMES", "csv_texts"]

CSV_NAMES = ("frames", "residues", "residue_types", "chains")
"""``PREFIX.<name>.csv``."""
_Row = tuple[tuple[Any, ...], Mapping[str, float | None]]
"""Labels and values of a row."""


def csv_texts(evaluation: Evaluation) -> dict[str, str]:
    """Return the text of each file by its name in `CSV_NAMES`; the first column is the method."""
    columns = [*([evaluation.reference] if evaluation.reference else []), *evaluation.methods]
    residue_labels = ("structure", "chain", "resid", "icode", "resname")
    return {
        "frames": _text(("structure", "frame", "sample"), columns, _frame_rows),
        "residues": _text(residue_labels, columns, _residue_rows),
        "residue_types": _text(("resname",), columns, lambda c: _group_rows(c, "by_residue_type")),
        "chains": _text(("chain",), columns, lambda c: _group_rows(c, "by_chain")),
    }


def _text(labels: tuple[str, ...], columns: list[Column], rows_of: Any) -> str:
    rows: list[tuple[str, _Row]] = [(column.name, row) for column in columns for row in rows_of(column)]
    names = list(dict.fromkeys(name for _, (_, values) in rows for name in values))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["method", *labels, *names])
    for method, (label, values) in rows:
        writer.writerow([method, *label, *(_number(values.get(name)) for name in names)])
    return buffer.getvalue()


def _frame_rows(column: Column) -> Iterator[_Row]:
    table = column.frames
    labels = zip(table.structure.tolist(), table.frame.tolist(), table.sample.tolist(), strict=True)
    return _rows(labels, {name: values.tolist() for name, values in table.values.items()})


def _residue_rows(column: Column) -> Iterator[_Row]:
    table = column.residues
    identity = (table.structure, table.chain_ids, table.resids, table.icodes, table.names)
    labels = zip(*(array.tolist() for array in identity), strict=True)
    return _rows(labels, {name: values.tolist() for name, values in table.values.items()})


def _rows(labels: Iterable[tuple[Any, ...]], values: Mapping[str, list[float]]) -> Iterator[_Row]:
    for index, label in enumerate(labels):
        yield label, {name: column[index] for name, column in values.items()}


def _group_rows(column: Column, name: str) -> Iterator[_Row]:
    for group, values in column.summary[name].items():
        yield (group,), values


def _number(value: float | None) -> str:
    """Format with six digits; empty where nothing was measured."""
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"
