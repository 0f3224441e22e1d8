"""What the page of an evaluation shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from latcpb_cli.choices import Superpose
from latcpb_cli.evaluation.records import Column, Evaluation
from latcpb_cli.html_report.distributions import chi_maps, ramachandran, torsion_densities
from latcpb_cli.html_report.frame_choice import choose_frames
from latcpb_cli.html_report.packing import rounded
from latcpb_cli.html_report.residue_index import ResidueIndex, StructureGroup
from latcpb_cli.html_report.scene import ATOM_NAMES, Scene

__all__ = ["evaluation_data"]

_COORDINATE_BYTES = 8_000_000
"""Room for the coordinates of the 3D view; the whole page stays below 15 MB."""
_MAX_OVERLAPS = 4_000
"""Pairs of residues on the map of overlaps of a column."""
_MAX_FRAMES_DRAWN = 2_000
"""Rows of a column in the plots over frames."""
_RESIDUE_VALUES = (
    "rmsd", "rmsd_backbone", "chi1_match", "overlap04", "ramachandran_outliers", "rotamer_outliers",
)  # fmt: skip
_RMSD, _OVERLAPS = "all.rmsd.all_heavy", "validity.overlap04_per_1000"
_FRAME_VALUES = (_RMSD, _OVERLAPS, "shape.radius_of_gyration")

Array = np.ndarray


def evaluation_data(evaluation: Evaluation) -> dict[str, Any]:
    """Return the data of the plots, the list of residues and the 3D view."""
    columns = _columns(evaluation)
    index = ResidueIndex.of_columns(columns)
    reference = None if evaluation.reference is None else 0
    return {
        "columns": [{"name": c.name, "reference": number == reference} for number, c in enumerate(columns)],
        "residues": index.record(),
        "perResidue": [_residue_values(index, number, column) for number, column in enumerate(columns)],
        "perFrame": [_frame_values(index, column) for column in columns],
        "overlaps": [_overlaps(index, number, column) for number, column in enumerate(columns)],
        "torsions": torsion_densities(columns, reference),
        "ramachandran": ramachandran(columns),
        "chi": chi_maps(columns),
        "atomNames": list(ATOM_NAMES),
        "scenes": _scenes(columns, index, evaluation.superpose),
    }


def _columns(evaluation: Evaluation) -> list[Column]:
    return [column for column in (evaluation.reference, *evaluation.methods) if column is not None]


def _residue_values(index: ResidueIndex, number: int, column: Column) -> dict[str, list[Any]]:
    values = column.residues.values
    spread = {name: index.spread(number, values[name]) for name in _RESIDUE_VALUES if name in values}
    return {name: rounded(row) for name, row in spread.items() if np.isfinite(row).any()}


def _frame_values(index: ResidueIndex, column: Column) -> dict[str, Any]:
    """Values by frame, evenly thinned where there are very many."""
    table = column.frames
    rows = choose_frames(len(table.frame), _MAX_FRAMES_DRAWN) if len(table.frame) else np.arange(0)
    names = {group.name: place for place, group in enumerate(index.groups)}
    if len(index.groups) == 1:
        structure = np.zeros(len(rows), dtype=np.int64)
    else:
        structure = np.array([names[str(name)] for name in table.structure[rows]], dtype=np.int64)
    values = {name: rounded(table.values[name][rows]) for name in _FRAME_VALUES if name in table.values}
    return {
        "structure": structure.tolist(),
        "frame": table.frame[rows].tolist(),
        "sample": table.sample[rows].tolist(),
        "values": values,
    }


def _overlaps(index: ResidueIndex, number: int, column: Column) -> list[list[float]]:
    """Pairs of residues: two numbers, pairs of atoms per frame, and the largest overlap."""
    rows = index.rows[number]
    frames = {s.first_row: len(s.atoms) for s in column.structures}
    starts = np.array(sorted(frames))
    shown = []
    for pair in column.overlaps[:_MAX_OVERLAPS]:
        first = starts[np.searchsorted(starts, pair.first, side="right") - 1]
        per_frame = pair.pairs / max(1, frames[int(first)])
        shown.append(
            [int(rows[pair.first]), int(rows[pair.second]), round(per_frame, 4), round(pair.worst, 2)]
        )
    return shown


def _scenes(columns: Sequence[Column], index: ResidueIndex, superposed: Superpose) -> list[dict[str, Any]]:
    """The 3D view of each structure, as many and with as many frames as there is room for."""
    compared = frozenset(number for number, column in enumerate(columns) if "rmsd" in column.residues.values)
    scenes = [Scene(group, compared, np.arange(1), superposed) for group in index.groups]
    room = _COORDINATE_BYTES
    kept: list[Scene] = []
    for scene in scenes:
        if room >= scene.bytes_per_frame or not kept:
            kept.append(scene)
            room -= scene.bytes_per_frame
    bytes_per_scene = _COORDINATE_BYTES // len(kept)
    records = []
    for scene in kept:
        n_kept = max(1, bytes_per_scene // max(1, scene.bytes_per_frame))
        frames = choose_frames(scene.n_frames, n_kept, _worst_frames(columns, scene.group))
        records.append(Scene(scene.group, compared, frames, superposed).record())
    return records


def _worst_frames(columns: Sequence[Column], group: StructureGroup) -> list[int]:
    """Rows of the frames of a group with the largest deviations and the most overlaps."""
    worst = []
    for number, structure in group.members.items():
        table = columns[number].frames
        rows = np.arange(len(table.frame))
        if len(columns[number].structures) > 1:
            rows = np.flatnonzero(table.structure == structure.name)
        for name in (_RMSD, _OVERLAPS):
            values = table.values.get(name)
            if values is not None and len(rows) and np.isfinite(values[rows]).any():
                worst.append(int(np.nanargmax(values[rows])))
    return worst
