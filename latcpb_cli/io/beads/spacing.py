"""Are these beads Cα? What the distances between neighbours say.

Two Cα that a peptide joins are 3.8 Å apart (2.9 Å for a cis peptide), in bead
models with harmonic bonds within a few tenths of an Å. Beads at the centre of
mass of a residue are 4 to 7 Å apart, each pair at a distance of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.errors import InputError
from latcpb_cli.structure import CGTrace

__all__ = ["Region", "Spacing", "check_unit", "measure_spacing"]

_TRANS, _CIS = (3.3, 4.35), (2.7, 3.2)
"""Distances (Å) that a bond of a Cα model may have."""
_WINDOW, _ODD_IN_WINDOW, _FEWEST_BONDS = 8, 4, 4
"""Half of the bonds in a window must be odd before a region is called no Cα trace."""
_SHOWN = 4


@dataclass(frozen=True)
class Region:
    """A stretch of a chain whose beads do not stand like Cα.

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
    n_bonds, n_odd : int
        Bonds, and how many of them no peptide would have.
    median, deviation : float
        In Å; nan without bonds.
    regions : tuple of Region
    """

    n_bonds: int
    n_odd: int
    median: float
    deviation: float
    regions: tuple[Region, ...]

    def explain(self, trace: CGTrace) -> str:
        """Name the regions, the first few of them."""
        said = [
            f"{trace.label(r.first)} to {trace.label(r.last)} ({r.lowest:.1f} to {r.highest:.1f} Å)"
            for r in self.regions[:_SHOWN]
        ]
        more = len(self.regions) - _SHOWN
        return ", ".join(said) + (f" and {more} more regions" if more > 0 else "")


def measure_spacing(trace: CGTrace, gaps: np.ndarray) -> Spacing:
    """Measure the bonds of a trace and find the regions that are no Cα trace.

    Parameters
    ----------
    trace : CGTrace
    gaps : numpy.ndarray, shape (L-1,)
        Distance (Å) from each bead to the next.

    Returns
    -------
    Spacing
    """
    bonded = trace.same_chain_as_next()[:-1] & (np.diff(trace.resids) <= 1) & np.isfinite(gaps)
    bonds = gaps[bonded]
    normal = _within(gaps, _TRANS) | _within(gaps, _CIS)
    odd = bonded & ~normal
    regions: list[Region] = []
    for chain in range(int(trace.chain_index[-1]) + 1):
        where = np.flatnonzero(bonded & (trace.chain_index[:-1] == chain))
        if len(where) >= _FEWEST_BONDS:
            regions += [_region(where[span], gaps) for span in _stretches(odd[where])]
    return Spacing(
        n_bonds=len(bonds),
        n_odd=int(odd.sum()),
        median=float(np.median(bonds)) if len(bonds) else np.nan,
        deviation=float(np.std(bonds)) if len(bonds) else np.nan,
        regions=tuple(regions),
    )


def check_unit(path: Path, gaps: np.ndarray) -> None:
    """Refuse coordinates in another unit than their format has.

    Parameters
    ----------
    path : pathlib.Path
        For messages.
    gaps : numpy.ndarray, shape (L-1,)
        Distance (Å) from each bead to the next, most of them bonded.

    Raises
    ------
    InputError
    """
    known = gaps[np.isfinite(gaps)]
    median = float(np.median(known)) if len(known) else np.nan
    if 0.25 < median < 0.6:
        raise InputError(
            f"{path}: neighbouring Cα are {median:.2f} Å apart: nm coordinates in a format of Å",
            "add --scale 10, or write the file as .gro or .xtc",
        )
    if 28.0 < median < 50.0:
        raise InputError(
            f"{path}: neighbouring Cα are {median:.1f} Å apart: Å coordinates in a format of nm",
            "add --scale 0.1, or write the file in a format of Å",
        )
    if median <= 0.25:
        raise InputError(
            f"{path}: neighbouring Cα are {median:.2f} Å apart: the beads lie on top of each other",
            "check the coordinates and the order of the beads",
        )


def _within(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return (values >= limits[0]) & (values <= limits[1])


def _stretches(odd: np.ndarray) -> list[slice]:
    """Stretches in which windows of bonds are odd by half, trimmed to odd bonds."""
    width = min(_WINDOW, len(odd))
    counts = np.convolve(odd, np.ones(width, dtype=int), mode="valid")
    inside = np.zeros(len(odd), dtype=bool)
    for start in np.flatnonzero(counts * _WINDOW >= _ODD_IN_WINDOW * width):
        inside[start : start + width] = True
    edges = np.flatnonzero(np.diff(np.r_[False, inside, False]))
    found = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        places = start + np.flatnonzero(odd[start:stop])
        found.append(slice(int(places[0]), int(places[-1]) + 1))
    return found


def _region(bonds: np.ndarray, gaps: np.ndarray) -> Region:
    distances = gaps[bonds]
    return Region(int(bonds[0]), int(bonds[-1]) + 1, float(distances.min()), float(distances.max()))
