"""Targets of CASP14, and what programs reach on them that are given the native backbone."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.train.structures import Structure

__all__ = ["DESCRIPTION", "load_targets", "published_lines"]

DESCRIPTION = "casp14 (30 targets of PackBench, without T1041)"
LEFT_OUT = ("T1041",)
"""It starts with a residue without N, on which some programs fail."""

PUBLISHED = {
    "FlowPacker": (0.77, 22.2, 57.3),
    "PIPPack": (0.76, 20.8, 58.1),
    "DiffPack": (0.77, 22.2, 57.9),
    "AttnPacker": (0.77, 23.2, 51.3),
    "DLPacker": (0.86, 26.4, 51.2),
    "PyRosetta": (0.98, 31.0, 48.2),
    "FASPR": (1.00, 31.3, 47.0),
    "SCWRL4": (1.03, 31.6, 46.7),
    "AlphaFold2, its own backbone": (1.06, 34.8, 45.4),
    "AlphaFold3, its own backbone": (1.02, 33.9, 47.1),
}
"""Side-chain RMSD (Å), χ1 error (degrees), recovery (%), defined as in `packbench`."""
SOURCE = (
    "Programs that pack side chains on the native backbone, and AlphaFold: PackBench "
    "(Bhattacharya-Lab/PackBench), means over the same 30 targets (without T1041), derived from its tables "
    "of single targets."
)


def load_targets(data: Path) -> Iterator[tuple[str, Structure]]:
    """Yield the targets of PackBench that are in the data, with their names."""
    folder = data / "casp14"
    with (folder / "casp14.tsv").open() as table:
        rows = [row for row in csv.DictReader(table, delimiter="\t") if row["in_packbench"] == "1"]
    for name in (row["target"] for row in rows if row["target"] not in LEFT_OUT):
        native = read_all_atom(folder / "ref" / f"{name}.pdb")
        confidence = np.ones(len(native.trace), dtype=np.float32)
        yield (
            name,
            Structure(
                native.atoms[0], native.present, native.trace.residue_types, native.linked()[0], confidence
            ),
        )


def published_lines() -> list[str]:
    """Format the published figures as Markdown."""
    rows = [
        f"| {name} | {rmsd:.2f} | {chi1:.1f} | {recovery:.1f} |"
        for name, (rmsd, chi1, recovery) in PUBLISHED.items()
    ]
    head = [
        "| program | RMSD of side chains, Å | χ1 error, ° | all χ within 20°, % |",
        "|---|---:|---:|---:|",
    ]
    return ["", "### Published", "", SOURCE, "", *head, *rows]
