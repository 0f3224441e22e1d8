"""The HTML page: one file with its styles, scripts and data, which loads nothing from a network."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from latcpb_cli import __version__
from latcpb_cli.errors import OutputError

__all__ = ["Cell", "Page", "SummaryTable", "Tile", "split_unit"]

_SCRIPTS = (
    "camera.js", "rods.js", "scene.js", "plots.js", "viewer.js", "charts.js", "report.js", "tables.js",
    "controls.js", "sections.js",
)  # fmt: skip
"""In the order in which they build on each other."""
MAX_NARROW = 3
"""Columns of numbers of tables that stand side by side."""


@dataclass(frozen=True)
class Tile:
    """A figure at the top of the page.

    Attributes
    ----------
    label, value, note : str
        What it is, the number with its unit, and a remark such as the value of the reference.
    """

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    text : str
    range : str
        An interval, in smaller type.
    best : bool
        Whether no other cell of the row is better.
    """

    text: str
    range: str = ""
    best: bool = False


@dataclass(frozen=True)
class SummaryTable:
    """A table of the summary.

    Attributes
    ----------
    title : str
    columns : sequence of str
        Headings of the columns of numbers.
    rows : sequence of (str, sequence of Cell)
        Label and cells of each row.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes
    ----------
    title, subtitle : str
    tiles : mapping of int to sequence of Tile
        Of each method, by the number of its column.
    tables : sequence of sequences of SummaryTable
        Stacks of tables that stand side by side.
    remarks : sequence of (str, str)
        Names and texts below the tables.
    definitions : sequence of (str, str, str)
        Name, definition, and source or "".
    origin : sequence of (str, str)
        How the report was made: names and values.
    data : dict
        What plots and 3D view show, ready for JSON.
    """

    title: str
    subtitle: str
    tiles: Mapping[int, Sequence[Tile]]
    tables: Sequence[Sequence[SummaryTable]]
    remarks: Sequence[tuple[str, str]]
    definitions: Sequence[tuple[str, str, str]]
    origin: Sequence[tuple[str, str]]
    data: Mapping[str, Any]

    def html(self) -> str:
        """Return the text of the page."""
        assets = files("latcpb_cli.html_report") / "assets"
        texts = {name: (assets / name).read_text(encoding="utf-8") for name in _SCRIPTS}
        return Template((assets / "template.html").read_text(encoding="utf-8")).substitute(
            title=escape(self.title),
            subtitle=escape(self.subtitle),
            generator=f"latcpb {__version__}",
            style=(assets / "report.css").read_text(encoding="utf-8"),
            tiles="".join(_tiles(column, tiles) for column, tiles in self.tiles.items()),
            tables=_tables(self.tables),
            remarks=_pairs(self.remarks),
            definitions=_definitions(self.definitions),
            origin=_pairs(self.origin),
            data=_json(self.data),
            script="\n".join(texts.values()),
        )

    def write(self, path: Path) -> None:
        """Write the page to a file, which has its final name when it is complete.

        Raises
        ------
        OutputError
        """
        part = Path(f"{path}.part")
        try:
            part.write_text(self.html(), encoding="utf-8")
            os.replace(part, path)
        except OSError as error:
            raise OutputError(f"{path}: {error.strerror or error}", "choose another file") from error


def split_unit(label: str) -> tuple[str, str]:
    """Split ``RMSD, Å`` into name and unit; the unit is "" where there is none."""
    name, comma, unit = label.rpartition(", ")
    return (name, unit) if comma else (label, "")


def _json(data: Mapping[str, Any]) -> str:
    """JSON that cannot end the element that holds it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _tiles(column: int, tiles: Sequence[Tile]) -> str:
    boxes = [
        f"<div><dt>{escape(tile.label)}</dt><dd>{escape(tile.value)}<small>{escape(tile.note)}</small></dd></div>"
        for tile in tiles
    ]
    return f'<dl class="tiles" data-column="{column}">{"".join(boxes)}</dl>'


def _tables(stacks: Sequence[Sequence[SummaryTable]]) -> str:
    wide = any(len(table.columns) > MAX_NARROW for stack in stacks for table in stack)
    columns = [f"<div>{''.join(_table(table) for table in stack)}</div>" for stack in stacks]
    return f'<div class="tables{" wide" if wide else ""}">{"".join(columns)}</div>'


def _table(table: SummaryTable) -> str:
    heads = "".join(f'<th scope="col" class="number">{escape(name)}</th>' for name in table.columns)
    rows = [
        f'<tr><th scope="row">{escape(label)}</th>{"".join(map(_cell, cells))}</tr>'
        for label, cells in table.rows
    ]
    return (
        f'<div class="scroll"><table><caption>{escape(table.title)}</caption>'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(cell: Cell) -> str:
    range_ = f"<small>{escape(cell.range)}</small>" if cell.range else ""
    return f'<td class="number{" best" if cell.best else ""}">{escape(cell.text)}{range_}</td>'


def _definitions(definitions: Sequence[tuple[str, str, str]]) -> str:
    entries = [
        f"<dt>{escape(name)}</dt><dd>{escape(text)}"
        f"{f' <span class=source>{escape(source)}</span>' if source else ''}</dd>"
        for name, text, source in definitions
    ]
    return f'<dl class="definitions">{"".join(entries)}</dl>'


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    entries = [f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs]
    return f'<dl class="pairs">{"".join(entries)}</dl>' if entries else ""
