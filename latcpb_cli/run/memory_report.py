"""The clash report of structures in memory, with the content of the files that a command writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from latcpb_cli.run.measure import MeasuredChunk
from latcpb_cli.run.report import (
    CSV_COLUMNS,
    ReportTotals,
    clash_rows,
    structure_row,
    structures,
    touched_counts,
)
from latcpb_cli.structure import CGTrace

__all__ = ["MemoryReport"]


@dataclass(frozen=True)
class MemoryReport:
    """What is measured of built structures.

    Attributes
    ----------
    summary : dict
        See `latcpb_cli.run.report.ReportWriter.finish`.
    frames : list of dict
        One row per frame and sample; ``pandas.DataFrame(report.frames)`` is a table.
    residues : list of dict
        One row, with the keys ``CSV_COLUMNS``, for each residue of a structure that clashes or has a
        pierced ring.
    problems : dict of int to str
        What is wrong with frames, by frame number.
    """

    summary: dict[str, Any]
    frames: list[dict[str, Any]] = field(repr=False)
    residues: list[dict[str, Any]] = field(repr=False)
    problems: dict[int, str]

    @classmethod
    def collect(
        cls, trace: CGTrace, chunks: Iterable[MeasuredChunk], problems: dict[int, str]
    ) -> MemoryReport:
        """Collect the rows of measured chunks."""
        labels = trace.labels
        totals, frames, residues = ReportTotals(len(trace)), [], []
        for measured in chunks:
            for info, clashes, row in structures(measured):
                frames.append(structure_row(info, clashes, labels, row))
                rows = clash_rows(info, clashes, labels)
                residues += [dict(zip(CSV_COLUMNS, values, strict=True)) for values in rows]
                totals.add(frames[-1], *touched_counts(clashes))
        return cls(totals.summary(labels), frames, residues, problems)

    def as_dict(self) -> dict[str, Any]:
        """Return everything in one dictionary, ready for JSON."""
        return asdict(self)
