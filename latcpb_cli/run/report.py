"""The clash report of a run: JSON per frame, CSV per residue."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from latcpb_cli.confidence.record import QUANTITIES, mean_quantities, residue_columns
from latcpb_cli.io.writers.frame_writer import FrameInfo
from latcpb_cli.io.writers.part_file import PartFile, PartState, PartStates
from latcpb_cli.io.writers.running_mean import RunningMean
from latcpb_cli.metrics.clashes import FrameClashes
from latcpb_cli.run.measure import MeasuredChunk
from latcpb_cli.run.template_use import template_columns, template_summary
from latcpb_cli.structure import CGTrace

__all__ = [
    "CSV_COLUMNS", "N_WORST_RESIDUES", "ReportTotals", "ReportWriter", "clash_rows", "structure_row",
    "structures", "touched_counts",
]  # fmt: skip

CSV_COLUMNS = ("frame", "sample", "time_ps", "residue", "contact12", "overlap04", "pierced")
"""One row for each residue of a frame and sample that clashes or has a bond through its ring."""
N_WORST_RESIDUES = 10
_ROWS_PER_WRITE = 1000


class ReportWriter:
    """Write the clash report frame by frame, with flat memory.

    All files grow under a ``.part`` name. Leaving the context without `commit`
    removes them, unless `sync` has made them safe to go on with.

    Parameters
    ----------
    path_json : pathlib.Path
        Provenance, summary and one row per frame and sample.
    path_csv : pathlib.Path
        One row per residue with a clash, in the columns ``CSV_COLUMNS``.
    trace : CGTrace
        The residues.
    resume : mapping of str to PartState, optional
        What the files of an interrupted run hold that is complete, by final name.
    confident, templated : bool
        Whether the confidence in each residue is written, and how often it is that of a template.

    Examples
    --------
    >>> with ReportWriter(Path("run.report.json"), Path("run.report.csv"), trace) as report:
    ...     report.add(info, frame_clashes(types, atoms, present, linked)[0])
    ...     summary = report.finish({"version": "0.1.0"})
    ...     report.commit()
    """

    def __init__(
        self,
        path_json: Path,
        path_csv: Path,
        trace: CGTrace,
        resume: PartStates | None = None,
        confident: bool = False,
        templated: bool = False,
    ) -> None:
        self._json = Path(path_json)
        self._labels = trace.labels
        self._totals = ReportTotals(len(trace))
        self._keep_parts = resume is not None
        rows = self._json.with_name(self._json.name + ".frames")
        self._csv, self._rows = (PartFile(path, resume) for path in (Path(path_csv), rows))
        self._parts = [self._csv, self._rows]
        if resume is None:
            self._csv.write((",".join(CSV_COLUMNS) + "\n").encode())
        else:
            with self._rows.path.open(encoding="utf-8") as lines:
                for line in lines:
                    self._totals.add(**json.loads(line))
        self._confidence = self._templates = None
        if confident:
            self._confidence = self._residue_means("residues", (len(trace), len(QUANTITIES)), resume)
        if templated:
            self._templates = self._residue_means("template", (len(trace),), resume)

    def _residue_means(self, suffix: str, shape: tuple[int, ...], resume: PartStates | None) -> RunningMean:
        """Means over structures of values of each residue."""
        final = self._json.with_name(f"{self._json.name}.{suffix}")
        mean = RunningMean(final, shape, resume, self._totals.rows)
        self._parts.append(mean.part)
        return mean

    def __enter__(self) -> ReportWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trail: TracebackType | None
    ) -> None:
        for part in self._parts:
            part.close() if self._keep_parts else part.discard()

    def add_chunk(self, measured: MeasuredChunk) -> None:
        """Add all structures of a chunk."""
        for structure in structures(measured):
            self.add(*structure)
        if self._confidence is not None and measured.confidence is not None:
            self._confidence.add_chunk(measured.confidence.table())
        if self._templates is not None and measured.template_use is not None:
            self._templates.add_chunk(measured.template_use)

    def add(self, info: FrameInfo, clashes: FrameClashes, row: Mapping[str, Any] | None = None) -> None:
        """Add one structure.

        Parameters
        ----------
        info : FrameInfo
        clashes : FrameClashes
        row : mapping, optional
            Further counts and energies of the structure.
        """
        columns = structure_row(info, clashes, self._labels, row)
        touched, counts = touched_counts(clashes)
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(clash_rows(info, clashes, self._labels))
        self._csv.write(lines.getvalue().encode())
        # With the residues, so that a run that goes on finds its totals here.
        entry = {"row": columns, "touched": touched, "counts": counts}
        self._rows.write((json.dumps(entry) + "\n").encode())
        self._totals.add(columns, touched, counts)

    def sync(self) -> dict[str, PartState]:
        """Flush everything to the disk and return the state of each file, by final name."""
        self._keep_parts = True
        states = {part.final.name: part.sync() for part in (self._csv, self._rows)}
        for mean in (self._confidence, self._templates):
            if mean is not None:
                states[mean.part.final.name] = mean.sync()
        return states

    def finish(self, provenance: dict[str, Any]) -> dict[str, Any]:
        """Complete both files under their temporary names.

        Parameters
        ----------
        provenance : dict
            How the run was made; stored as it is.

        Returns
        -------
        dict
            The summary: ``frames``, ``samples``, mean and max of ``contact12_percent``,
            ``overlap04_per_1000`` and ``pierced_rings``, the ``worst_frame``, the ``worst_residues``,
            in ``peaks`` the largest value of each number of the rows, with its frame and sample, and
            the means of the ``confidence`` and of the use of ``templates``.
        """
        summary = self._totals.summary(self._labels)
        tables: dict[str, dict[str, list[Any]]] = {}
        if self._confidence is not None:
            confidence = self._confidence.mean()
            summary["confidence"] = mean_quantities(confidence)
            tables["confidence"] = {"residue": self._labels, **residue_columns(confidence)}
        if self._templates is not None:
            share = self._templates.mean()
            summary["templates"] = template_summary(share)
            tables["templates"] = template_columns(share, self._labels)
        out = PartFile(self._json)
        self._parts.append(out)
        head = json.dumps({"provenance": provenance, "summary": summary}, indent=1, default=str)
        out.write(head.removesuffix("\n}").encode())
        for name, columns in tables.items():
            _write_list(out, name, _lines_of_columns(columns))
        with self._rows.path.open(encoding="utf-8") as lines:
            _write_list(out, "frames", (json.dumps(json.loads(line)["row"]) for line in lines))
        out.write(b"\n}\n")
        for part in self._parts:
            part.sync()
        return summary

    def commit(self) -> None:
        """Give the finished files their final names."""
        self._csv.commit()
        self._parts[-1].commit()
        self._rows.discard()
        self._keep_parts = False


def _write_list(out: PartFile, name: str, rows: Iterable[str]) -> None:
    """Append an entry to an object of JSON: a list with one row, which is JSON, a line."""
    out.write(f',\n "{name}": ['.encode())
    rest, comma = iter(rows), ""
    while block := list(islice(rest, _ROWS_PER_WRITE)):
        lines = ",\n  ".join(block)
        out.write(f"{comma}\n  {lines}".encode())
        comma = ","
    out.write(b"\n ]")


def _lines_of_columns(columns: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Yield the rows of a table as objects of JSON; whole columns are encoded faster than these objects."""
    pattern = "{" + ", ".join(f'"{name}": %s' for name in columns) + "}"
    for first in range(0, len(next(iter(columns.values()))), _ROWS_PER_WRITE):
        blocks = (values[first : first + _ROWS_PER_WRITE] for values in columns.values())
        # JSON has no line breaks within its strings.
        texts = (json.dumps(block, separators=("\n", ":"))[1:-1].split("\n") for block in blocks)
        yield from (pattern % row for row in zip(*texts, strict=True))


def structure_row(
    info: FrameInfo, clashes: FrameClashes, labels: Sequence[str], row: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what the report says of one structure; ready for JSON.

    Parameters
    ----------
    info : FrameInfo
    clashes : FrameClashes
    labels : sequence of str
        Of the residues.
    row : mapping, optional
        Further counts and energies of the structure.
    """
    return {
        "frame": int(info.frame),
        "sample": int(info.sample),
        "time_ps": float(info.time),
        "contact12_percent": round(clashes.contact12_percent, 4),
        "overlap04_per_1000": round(clashes.overlap04_per_1000, 4),
        "pierced_rings": int(clashes.pierced.sum()),
        "worst_overlap": round(clashes.worst_overlap, 3),
        "worst_pair": [labels[i] for i in clashes.worst_pair if i >= 0],
        "disulfides": [[labels[first], labels[second]] for first, second in info.bridges],
        **(row or {}),
    }


def clash_rows(info: FrameInfo, clashes: FrameClashes, labels: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return a row, in the columns ``CSV_COLUMNS``, for each residue that clashes or has a pierced ring."""
    structure = int(info.frame), int(info.sample), float(info.time)
    touched, counts = touched_counts(clashes)
    return [(*structure, labels[i], *values) for i, values in zip(touched, counts, strict=True)]


def touched_counts(clashes: FrameClashes) -> tuple[list[int], list[list[int]]]:
    """Return the residues that clash or have a pierced ring, and the counts of each: the last CSV columns."""
    counts = np.stack([clashes.contact12, clashes.overlap04, clashes.pierced], axis=1).astype(int)
    touched = np.flatnonzero(counts.any(axis=1))
    return touched.tolist(), counts[touched].tolist()


def structures(measured: MeasuredChunk) -> Iterator[tuple[FrameInfo, FrameClashes, dict[str, Any]]]:
    """Yield each structure of a chunk that has been measured: what it is, its clashes and further counts."""
    chunk, n_samples = measured.chunk, measured.atoms.shape[1]
    for number, (clashes, row) in enumerate(zip(measured.clashes, measured.rows, strict=True)):
        frame, sample = divmod(number, n_samples)
        index, time = int(chunk.indices[frame]), float(chunk.times[frame])
        bridges = measured.bridges[frame][sample]
        yield FrameInfo(index, sample, time, chunk.boxes[frame], bridges), clashes, row


class ReportTotals:
    """Running sums over the structures of a report."""

    def __init__(self, n_residues: int) -> None:
        self.rows = self.frames = self.samples = 0
        self.last_frame: int | None = None
        self.sums = {"contact12_percent": 0.0, "overlap04_per_1000": 0.0, "pierced_rings": 0.0}
        self.peaks = dict(self.sums)
        self.worst: dict[str, Any] | None = None
        self.largest: dict[str, dict[str, Any]] = {}
        self.contacts = np.zeros(n_residues, dtype=np.int64)
        self.overlaps = np.zeros(n_residues, dtype=np.int64)

    def add(self, row: dict[str, Any], touched: list[int], counts: list[list[int]]) -> None:
        """Add a structure: its row, the residues that clash, and the counts of each of these."""
        self.rows += 1
        self.frames += row["frame"] != self.last_frame
        self.last_frame = row["frame"]
        self.samples = max(self.samples, row["sample"] + 1)
        for name in self.sums:
            self.sums[name] += row[name]
            self.peaks[name] = max(self.peaks[name], row[name])
        for name in row.keys() - {"frame", "sample", "time_ps"}:
            value, before = row[name], self.largest.get(name)
            if isinstance(value, int | float) and (before is None or value > before["value"]):
                self.largest[name] = {"value": value, "frame": row["frame"], "sample": row["sample"]}
        if self.worst is None or _badness(row) > _badness(self.worst):
            self.worst = row
        columns = np.array(counts, dtype=np.int64).reshape(-1, 3)
        self.contacts[touched] += columns[:, 0]
        self.overlaps[touched] += columns[:, 1]

    def summary(self, labels: Sequence[str]) -> dict[str, Any]:
        """Return what `ReportWriter.finish` describes."""
        order = np.lexsort((-self.overlaps, -self.contacts))[:N_WORST_RESIDUES]
        worst = [i for i in order if self.contacts[i] or self.overlaps[i]]
        return {
            "frames": self.frames,
            "samples": self.samples,
            **{
                name: {"mean": total / max(self.rows, 1), "max": self.peaks[name]}
                for name, total in self.sums.items()
            },
            "peaks": dict(sorted(self.largest.items())),
            "worst_frame": self.worst,
            "worst_residues": [
                {
                    "residue": labels[i],
                    "contact12_percent": 100.0 * int(self.contacts[i]) / self.rows,
                    "overlap04_per_frame": int(self.overlaps[i]) / self.rows,
                }
                for i in worst
            ],
        }


def _badness(row: dict[str, Any]) -> tuple[float, float]:
    """Contacts below 1.2 Å are worse than any number of overlaps."""
    return row["contact12_percent"], row["overlap04_per_1000"]
