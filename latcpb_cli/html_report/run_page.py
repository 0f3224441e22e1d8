"""The page of a run of ``latcpb backmap``: its report beside the atoms that it wrote."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from latcpb_cli.backbone.ca_geometry import spacing_anomaly
from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.evaluation.definitions import definition
from latcpb_cli.evaluation.records import AtomFrames, Evaluation
from latcpb_cli.evaluation.summary import figure
from latcpb_cli.html_report.evaluation_data import evaluation_data
from latcpb_cli.html_report.packing import rounded
from latcpb_cli.html_report.page import Cell, Page, SummaryTable, Tile, split_unit

__all__ = ["RunReport", "run_page"]

MAX_ROWS = 2_000
"""Frames in the plots over frames, evenly spaced."""
_QUANTITIES = {
    "contact12_percent": "residues with a contact < 1.2 Å, %",
    "overlap04_per_1000": "overlaps ≥ 0.4 Å per 1,000 atoms",
    "worst_overlap": "largest overlap, Å",
    "pierced_rings": "rings pierced",
    "lassos": "lassos",
    "d_residues": "D residues",
    "inverted_cb": "Thr/Ile Cβ inverted",
    "cis_non_proline": "cis non-Pro peptides",
    "peptide_bonds": "peptide C–N off > 10 %",
    "bonds": "bond lengths off > 10 %",
    "angles": "bond angles off > 10°",
    "omega": "ω off planar > 30°",
    "ramachandran_outliers": "Ramachandran outliers",
}
"""Labels of the numbers of each frame."""
_CONFIDENCE = {"chi1": "confidence", "side_chain_error": "expected_error"}
"""Quantities of the confidence in a residue that the page shows, and their names there."""
_SPACING = (
    "bead spacing",
    "How far the distances from a bead to its neighbours in the chain are from those of Cα in proteins "
    "(3.8 Å, or 2.9 Å before a cis proline): 0 within 0.08 Å, as in 99 % of crystal structures, rising to 1 "
    "at 0.12 Å; the mean over frames. Where beads are too near each other or too far apart, atoms have no "
    "room or bonds are strained.",
    "",
)
_CONFIDENCE_TEXTS = (
    ("confidence", "Probability that χ1 is within 40° of the truth; the mean over frames and samples.", ""),
    ("expected error", "Expected deviation (Å) of the side chain from the truth, root mean square.", ""),
)

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class RunReport:
    """The report files of a run.

    Attributes
    ----------
    content : dict
        The JSON report.
    labels : sequence of str
        Of the residues of the input.
    overlaps : dict of str to float
        Overlapping pairs of atoms of each residue, by label, in all structures.
    """

    content: Mapping[str, Any]
    labels: Sequence[str]
    overlaps: Mapping[str, float]

    @classmethod
    def read(cls, path_json: Path, path_csv: Path, labels: Sequence[str]) -> RunReport:
        """Read the two report files of a run, with the labels of its residues."""
        overlaps: dict[str, float] = {}
        with path_csv.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                overlaps[row["residue"]] = overlaps.get(row["residue"], 0.0) + float(row["overlap04"])
        return cls(json.loads(path_json.read_text(encoding="utf-8")), labels, overlaps)


def run_page(report: RunReport, evaluation: Evaluation) -> Page:
    """Lay out the report of a run.

    Parameters
    ----------
    report : RunReport
    evaluation : Evaluation
        Of the output alone, or of some of its structures: one method, without a
        reference. Its frames are numbered by their place in the output.
    """
    provenance, summary = report.content["provenance"], report.content["summary"]
    names = ", ".join(Path(entry["file"]).name for entry in provenance["inputs"])
    tables = [_clash_table(report)], [_validity_table(evaluation)]
    return Page(
        title=f"Backmapping of {names}",
        subtitle=_subtitle(provenance, summary),
        tiles={0: _tiles(report, evaluation)},
        tables=[[table for table in stack if table.rows] for stack in tables],
        remarks=[("warning", text) for text in provenance["warnings"]],
        definitions=_definitions(report, evaluation),
        origin=list(_flat(provenance)),
        data=_data(report, evaluation),
    )


def _subtitle(provenance: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    counts = {"residue": provenance["residues"], "frame": summary["frames"], "sample": summary["samples"]}
    text = ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in counts.items())
    mode, seed, weights = provenance["mode"], provenance["seed"], provenance["weights"]["name"]
    return f"{text}; mode {mode}, seed {seed}, weights {weights}"


def _tiles(report: RunReport, evaluation: Evaluation) -> list[Tile]:
    summary, tiles = report.content["summary"], []
    for name in ("overlap04_per_1000", "contact12_percent", "pierced_rings"):
        label, unit = split_unit(_QUANTITIES[name])
        mean, worst = (f"{_text(summary[name][part])} {unit}" for part in ("mean", "max"))
        tiles.append(Tile(label, mean, f"at most {worst}"))
    favoured = figure(evaluation.methods[0].summary, definition("validity.ramachandran_favoured"))
    if favoured is not None:
        tiles.append(Tile("Ramachandran favoured", f"{favoured:.2f} %"))
    chi1 = [row["chi1"] for row in report.content.get("confidence", ()) if row.get("chi1") is not None]
    if chi1:
        tiles.append(Tile("confidence in χ1", f"{100 * np.mean(chi1):.0f} %", "mean over residues"))
    seconds = report.content["provenance"]["seconds"]
    return [*tiles, Tile("time", f"{seconds:.1f} s", "without loading the model")]


def _clash_table(report: RunReport) -> SummaryTable:
    """Every number of the report: its mean, and its largest value with frame and sample."""
    frames, peaks = report.content["frames"], report.content["summary"]["peaks"]
    rows = []
    for name, label in _QUANTITIES.items():
        if name in peaks and frames:
            mean = sum(row[name] for row in frames) / len(frames)
            peak = peaks[name]
            where = f"{peak['frame']}, sample {peak['sample']}" if peak["value"] else "–"
            rows.append((label, [Cell(_text(mean)), Cell(_text(peak["value"])), Cell(where)]))
    return SummaryTable("All frames and samples", ["mean", "worst", "in frame"], rows)


def _validity_table(evaluation: Evaluation) -> SummaryTable:
    column = evaluation.methods[0]
    entries = [
        entry
        for entry in evaluation.definitions
        if entry.group in ("validity", "shape") and entry.name.partition(".")[2] not in _QUANTITIES
    ]
    values = [(entry.label, figure(column.summary, entry)) for entry in entries]
    rows = [(label, [Cell(_text(value))]) for label, value in values if value is not None]
    n_frames = len(column.frames.frame)
    return SummaryTable(f"Of {n_frames:,} structures", ["mean"], rows)


def _definitions(report: RunReport, evaluation: Evaluation) -> list[tuple[str, str, str]]:
    entries = [e for e in evaluation.definitions if e.group in ("validity", "shape")]
    own = [_SPACING, *(_CONFIDENCE_TEXTS if report.content.get("confidence") else ())]
    return [*own, *((entry.label, entry.text, entry.source) for entry in entries)]


def _flat(provenance: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Names and values of nested records."""
    for name, value in provenance.items():
        label = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{label}, ")
        elif name == "command":
            yield label, shlex.join(["latcpb", *map(str, value[1:])])
        elif isinstance(value, list):
            texts = [" ".join(map(str, x.values())) if isinstance(x, Mapping) else str(x) for x in value]
            yield label, "; ".join(texts) or "–"
        else:
            yield label, "–" if value is None else str(value)


def _data(report: RunReport, evaluation: Evaluation) -> dict[str, Any]:
    """The data of the page: counts over all structures come from the report."""
    data = evaluation_data(evaluation)
    frames, structure = report.content["frames"], evaluation.methods[0].structures[0]
    if len(report.labels) == len(data["residues"]["labels"]):
        # The input may have no chain identifiers, and names of another force field.
        data["residues"]["labels"] = list(report.labels)
    labels = data["residues"]["labels"]
    values = data["perResidue"][0]
    overlaps = np.array([report.overlaps.get(label, 0.0) for label in labels])
    values["overlap04"] = rounded(overlaps / len(frames))
    values["spacing"] = rounded(_spacing(structure.atoms))
    values.update(_confidence(report.content.get("confidence", ()), labels))
    rows = frames[:: max(1, -(-len(frames) // MAX_ROWS))]
    data["perFrame"] = [
        {
            "structure": [0] * len(rows),
            "frame": [row["frame"] for row in rows],
            "sample": [row["sample"] for row in rows],
            "values": {
                "validity.overlap04_per_1000": [row["overlap04_per_1000"] for row in rows],
                "validity.contact12_percent": [row["contact12_percent"] for row in rows],
            },
        }
    ]
    for scene in data["scenes"]:
        for model in scene["models"]:
            model["frames"] = [frames[place]["frame"] for place in model["frames"]]
    return data


def _spacing(atoms: AtomFrames) -> Float[Array, "L"]:
    """Mean over frames of `spacing_anomaly`."""
    total = np.zeros(len(atoms.trace))
    for frame in range(len(atoms)):
        ca = atoms.read(frame, frame + 1)[:, :, CA_SLOT]
        total += spacing_anomaly(ca, atoms.trace.residue_types, atoms.trace.linked(ca))[0]
    return total / len(atoms)


def _confidence(rows: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> dict[str, list[float | None]]:
    by_label = {row["residue"]: row for row in rows}
    return {
        shown: [by_label.get(label, {}).get(name) for label in labels]
        for name, shown in _CONFIDENCE.items()
        if rows
    }


def _text(value: float) -> str:
    if value == int(value):
        return f"{value:.0f}"
    return f"{value:.4f}" if abs(value) < 0.1 else f"{value:.2f}"
