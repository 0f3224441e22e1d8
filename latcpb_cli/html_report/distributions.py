"""Densities of torsions, Ramachandran maps and χ1/χ2 maps, ready for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from latcpb_cli.chem.ramachandran import RESIDUE_CLASSES, map_bin, ramachandran_maps
from latcpb_cli.evaluation.records import Column, TorsionStatistics
from latcpb_cli.html_report.packing import pack, rounded
from latcpb_cli.metrics.torsions import divergences

__all__ = ["chi_maps", "ramachandran", "torsion_densities"]

_ANGLES = {"phi": "φ", "psi": "ψ", "chi1": "χ1", "chi2": "χ2", "chi3": "χ3", "chi4": "χ4"}
_WIDTH = 1.2
"""Standard deviation of the kernel, in bins of 5 degrees."""
MAX_POINTS = 1_500
"""Points of a class and column on a Ramachandran map, and as many outliers."""

Array = np.ndarray


def torsion_densities(columns: Sequence[Column], reference: int | None) -> list[dict[str, Any]]:
    """Return the density of each torsion that occurs, in percent of the residues per degree.

    The histograms are smoothed with a periodic Gaussian kernel of 6 degrees. ``js``
    holds the divergence of each column from the column ``reference``.
    """
    panels = []
    table = [_js(columns, number, reference) for number in range(len(columns))]
    for name, symbol in _ANGLES.items():
        counts = [column.torsions.histograms[name] for column in columns]
        if any(count.sum() for count in counts):
            panel = {"name": name, "symbol": symbol, "columns": [_density(count) for count in counts]}
            panels.append(panel | {"js": [row.get(name) for row in table]})
    return panels


def _js(columns: Sequence[Column], number: int, reference: int | None) -> Mapping[str, float | None]:
    """Jensen-Shannon divergences of a column from the reference, by torsion."""
    if reference is None or number == reference:
        return {}
    own, other = (dict(columns[k].torsions.histograms) for k in (number, reference))
    return divergences(other, own)["js"]


def _density(counts: Int[Array, "72"]) -> list[float] | None:
    total = counts.sum()
    if not total:
        return None
    smooth = gaussian_filter1d(counts.astype(np.float64), _WIDTH, mode="wrap")
    return rounded(100.0 * smooth / total / (360.0 / len(counts)), 4)


def ramachandran(columns: Sequence[Column]) -> dict[str, Any]:
    """Return the regions of each class of residue, and points of each column in degrees."""
    return {
        "classes": list(RESIDUE_CLASSES),
        "levels": pack(ramachandran_maps().astype(np.uint8)),
        "counts": [_counts(column.torsions) for column in columns],
        "points": [_points(column.torsions) for column in columns],
    }


def _points(torsions: TorsionStatistics) -> list[list[list[float]]]:
    """φ and ψ (degrees) of each class, thinned where there are many."""
    classes = []
    for name, regions in zip(RESIDUE_CLASSES, ramachandran_maps(), strict=True):
        points = torsions.ramachandran_points.get(name, np.empty((0, 2)))
        outlier = regions[map_bin(points[:, 0]), map_bin(points[:, 1])] == 0
        rows = np.flatnonzero(~outlier), np.flatnonzero(outlier)
        chosen = [some[:: len(some) // MAX_POINTS + 1] for some in rows]
        classes.append(rounded(np.degrees(points[np.concatenate(chosen)]), 1))
    return classes


def _counts(torsions: TorsionStatistics) -> list[dict[str, int]]:
    """Residues of each class by region."""
    levels = ramachandran_maps()
    names = ("outlier", "allowed", "favoured")
    return [
        {name: int(counts[regions == level].sum()) for level, name in enumerate(names)}
        for counts, regions in zip(torsions.ramachandran_maps, levels, strict=True)
    ]


def chi_maps(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return smoothed χ1/χ2 maps of each residue type that occurs.

    Maps have 36 bins of 10 degrees, from 0 to 360, with values from 0 (none) to 255 (peak).
    """
    names = sorted({name for column in columns for name in column.torsions.chi_maps})
    panels = []
    for name in names:
        maps = [column.torsions.chi_maps.get(name) for column in columns]
        counts = [0 if counted is None else int(counted.sum()) for counted in maps]
        if any(counts):
            levels = [
                None if counted is None or not counted.sum() else _levels(counted.astype(np.float64))
                for counted in maps
            ]
            panels.append({"name": name, "counts": counts, "columns": levels})
    return panels


def _levels(counts: Float[Array, "72 72"]) -> dict[str, Any]:
    """A smoothed map, and the levels that hold 50 and 90 % of the residues."""
    smooth = gaussian_filter(counts, _WIDTH, mode="wrap")
    # From 0 degrees on, so that no rotamer lies on an edge.
    coarse = np.roll(smooth.reshape(36, 2, 36, 2).sum(axis=(1, 3)), (18, 18), axis=(0, 1))
    ranked = np.sort(coarse.ravel())[::-1]
    held = np.cumsum(ranked) / ranked.sum()
    scale = 255.0 / ranked[0]
    limits = [float(ranked[np.searchsorted(held, part)] * scale) for part in (0.5, 0.9)]
    return {"map": pack(np.round(coarse * scale).astype(np.uint8)), "limits": rounded(np.array(limits), 2)}
