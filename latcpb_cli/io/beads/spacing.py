"""Distances between neighbouring beads, which distinguish Cα from other beads.

Two Cα that a peptide joins are 3.8 Å apart (2.9 Å for a cis peptide), in bead
models with harmonic bonds within a few tenths of an Å. Beads at the centre of
mass of a residue are 4 to 7 Å apart, and the distance varies from pair to pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int64

from latcpb_cli.errors import InputError
from latcpb_cli.structure import CGTrace

__all__ = ["Region", "Spacing", "check_unit", "is_nm", "measure_spacing"]

_TRANS, _CIS = (3.3, 4.35), (2.7, 3.2)
"""Distances (Å) that a bond of a Cα model may have."""
_WINDOW, _OUTLIERS_IN_WINDOW, _MIN_BONDS = 8, 4, 4
"""A region is not a Cα trace where half of the bonds in a window are outliers."""
_NM_MEDIAN = (0.25, 0.6)
"""Median distances of neighbours that are in nm."""
_MAX_LISTED = 4


@dataclass(frozen=True)
class Region:
    """A stretch of a chain whose beads do not have the spacing of Cα.

    Attributes
    ----------
    first, last : int
        Numbers of its first and last residue in the trace.
    lowest, highest : float
        Range of its distances in Å.
    """

    first: int
    last: int
    lowest: float
    highest: float


@dataclass(frozen=True)
class Spacing:
    """Distances between bonded neighbours, each the median over some frames.

    Attributes
    ----------
    n_bonds, n_outliers : int
        Number of bonds, and of those with a length that no peptide has.
    median, std : float
        In Å; nan without bonds.
    regions : tuple of Region
    """

    n_bonds: int
    n_outliers: int
    median: float
    std: float
    regions: tuple[Region, ...]

    def describe_regions(self, trace: CGTrace) -> str:
        """List the first few regions with their distances."""
        listed = [
            f"{trace.labels[r.first]} to {trace.labels[r.last]} ({r.lowest:.1f} to {r.highest:.1f} Å)"
            for r in self.regions[:_MAX_LISTED]
        ]
        more = len(self.regions) - _MAX_LISTED
        return ", ".join(listed) + (f" and {more} more regions" if more > 0 else "")


def measure_spacing(trace: CGTrace, distances: Float[np.ndarray, "steps"]) -> Spacing:
    """Measure the bonds of a trace and find the regions without the spacing of Cα.

    Parameters
    ----------
    trace : CGTrace
    distances : numpy.ndarray, shape (L-1,)
        Distance (Å) from each bead to the next.

    Returns
    -------
    Spacing
    """
    bonded = trace.same_chain_as_next()[:-1] & (np.diff(trace.resids) <= 1) & np.isfinite(distances)
    bonds = distances[bonded]
    normal = _within(distances, _TRANS) | _within(distances, _CIS)
    outlier = bonded & ~normal
    regions: list[Region] = []
    for chain in range(int(trace.chain_index[-1]) + 1):
        chain_bonds = np.flatnonzero(bonded & (trace.chain_index[:-1] == chain))
        if len(chain_bonds) >= _MIN_BONDS:
            spans = _outlier_spans(outlier[chain_bonds])
            regions += [_make_region(chain_bonds[span], distances) for span in spans]
    return Spacing(
        n_bonds=len(bonds),
        n_outliers=int(outlier.sum()),
        median=float(np.median(bonds)) if len(bonds) else np.nan,
        std=float(np.std(bonds)) if len(bonds) else np.nan,
        regions=tuple(regions),
    )


def is_nm(distances: Float[np.ndarray, "steps"]) -> bool:
    """Return whether distances between neighbours, read as Å, are those of Cα in nm."""
    low, high = _NM_MEDIAN
    return bool(low < _median(distances) < high)


def check_unit(path: Path, distances: Float[np.ndarray, "steps"]) -> None:
    """Raise where coordinates have another unit than their format.

    Parameters
    ----------
    path : pathlib.Path
        For messages.
    distances : numpy.ndarray, shape (L-1,)
        Distance (Å) from each bead to the next, most of them bonded.

    Raises
    ------
    InputError
        The coordinates seem to be in nm instead of Å, in Å instead of nm, or
        all at one point.
    """
    median = _median(distances)
    if is_nm(distances):
        raise InputError(
            f"{path}: neighbouring Cα are {median:.2f} Å apart: nm coordinates in a format of Å",
            "add --scale 10, or write the file as .gro or .xtc",
        )
    if 28.0 < median < 50.0:
        raise InputError(
            f"{path}: neighbouring Cα are {median:.1f} Å apart: Å coordinates in a format of nm",
            "add --scale 0.1, or write the file in a format of Å",
        )
    if median <= _NM_MEDIAN[0]:
        raise InputError(
            f"{path}: neighbouring Cα are {median:.2f} Å apart: the beads lie on top of each other",
            "check the coordinates and the order of the beads",
        )


def _median(distances: Float[np.ndarray, "steps"]) -> float:
    known = distances[np.isfinite(distances)]
    return float(np.median(known)) if len(known) else np.nan


def _within(values: Float[np.ndarray, "N"], limits: tuple[float, float]) -> Bool[np.ndarray, "N"]:
    return (values >= limits[0]) & (values <= limits[1])


def _outlier_spans(outlier: Bool[np.ndarray, "N"]) -> list[slice]:
    """Find the spans in which half of the bonds are outliers, trimmed to outliers at both ends."""
    width = min(_WINDOW, len(outlier))
    counts = np.convolve(outlier, np.ones(width, dtype=int), mode="valid")
    inside = np.zeros(len(outlier), dtype=bool)
    for start in np.flatnonzero(counts * _WINDOW >= _OUTLIERS_IN_WINDOW * width):
        inside[start : start + width] = True
    edges = np.flatnonzero(np.diff(np.r_[False, inside, False]))
    spans = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        rows = start + np.flatnonzero(outlier[start:stop])
        spans.append(slice(int(rows[0]), int(rows[-1]) + 1))
    return spans


def _make_region(bonds: Int64[np.ndarray, "B"], distances: Float[np.ndarray, "steps"]) -> Region:
    lengths = distances[bonds]
    return Region(int(bonds[0]), int(bonds[-1]) + 1, float(lengths.min()), float(lengths.max()))
