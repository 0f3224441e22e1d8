"""Rotamers: states of side chains, defined by cells of their chi angles.

The range of each chi angle is cut into cells at the minima of its distribution;
a rotamer is one cell for each chi angle of the residue. ``rotamers.json``, made by
``benchmarks/measure_rotamers.py``, holds the probability and the mean chi angles
of every rotamer in training structures. Angles are in degrees in the file, in
radians here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residues import CHI_ATOMS, NAMES
from latcpb_cli.chem.zmatrix import N_CHI

__all__ = [
    "N_ROTAMERS",
    "ChiCells",
    "RotamerTable",
    "chi_cells",
    "rotamer_index",
    "rotamer_indices",
    "rotamer_states",
    "rotamer_table",
]

N_ROTAMERS = 81
"""Rotamers of the residue types that have most (Arg and Lys)."""


@dataclass(frozen=True)
class ChiCells:
    """Cells of one chi angle.

    Attributes
    ----------
    edges : tuple of float
        Start of each cell in degrees, ascending; the last cell ends where the first starts.
    period : float
        In degrees: 180 for symmetric ends, otherwise 360.
    """

    edges: tuple[float, ...]
    period: float = 360.0


_STAGGERED = ChiCells((0.0, 120.0, 240.0))
_CARBOXYL = ChiCells((-90.0, -30.0, 30.0), 180.0)
_RING = ChiCells((40.0, 130.0), 180.0)
_CELLS: dict[tuple[str, int], ChiCells] = {
    ("ASP", 1): _CARBOXYL,
    ("GLU", 2): _CARBOXYL,
    ("ASN", 1): ChiCells((0.0, 60.0, 120.0, 180.0, 240.0, 300.0)),
    ("GLN", 2): ChiCells((-30.0, 30.0, 90.0, 150.0, 210.0, 270.0)),
    ("PHE", 1): _RING,
    ("TYR", 1): _RING,
    ("TRP", 1): ChiCells((-50.0, 45.0, 150.0)),
    ("PRO", 0): ChiCells((0.0, 180.0)),
    ("PRO", 1): ChiCells((0.0,)),  # chi 1 alone determines the pucker of the ring
}


@dataclass(frozen=True, eq=False)
class RotamerTable:
    """Rotamers of all residue types.

    Attributes
    ----------
    chi : numpy.ndarray of float64, shape (20, 81, 4)
        Mean chi angles of each rotamer, rad; 0 where the residue type has no such angle.
    probability : numpy.ndarray of float64, shape (20, 81)
        Frequency of the rotamer among residues of its type; sums to one.
    exists : numpy.ndarray of bool, shape (20, 81)
        Whether the residue type has the rotamer; types without chi angles have one.
    """

    chi: Float[np.ndarray, "20 81 4"]
    probability: Float[np.ndarray, "20 81"]
    exists: Bool[np.ndarray, "20 81"]


def chi_cells(residue: int) -> list[ChiCells]:
    """Return the cells of each chi angle of a residue type."""
    name = NAMES[residue]
    return [_CELLS.get((name, chi), _STAGGERED) for chi in range(len(CHI_ATOMS[residue]))]


def rotamer_states(residue: int) -> list[tuple[int, ...]]:
    """Return the cell indices of every rotamer of a residue type; chi 1 varies slowest."""
    return list(product(*(range(len(cells.edges)) for cells in chi_cells(residue))))


def rotamer_index(chi: Float[np.ndarray, "N 4"], residue: int) -> Int[np.ndarray, "N"]:
    """Return the rotamers of N residues of one type from their chi angles (rad)."""
    rotamer = np.zeros(len(chi), dtype=np.int64)
    for index, cells in enumerate(chi_cells(residue)):
        edges = np.asarray(cells.edges)
        angle = (np.degrees(chi[:, index]) - edges[0]) % cells.period + edges[0]
        rotamer = rotamer * len(edges) + np.searchsorted(edges, angle, side="right") - 1
    return rotamer


def rotamer_indices(chi: Float[np.ndarray, "*b L 4"], types: Int[np.ndarray, "L"]) -> Int[np.ndarray, "*b L"]:
    """Return the rotamers of residues of several types from their chi angles (rad)."""
    rotamers = np.zeros(chi.shape[:-1], dtype=np.int64)
    for residue in np.unique(types):
        rows = np.flatnonzero(types == residue)
        own = chi[..., rows, :]
        rotamers[..., rows] = rotamer_index(own.reshape(-1, N_CHI), int(residue)).reshape(own.shape[:-1])
    return rotamers


@cache
def rotamer_table() -> RotamerTable:
    """Rotamers of all residue types, as measured in training structures."""
    text = resources.files("latcpb_cli.chem").joinpath("rotamers.json").read_text(encoding="utf-8")
    measured: dict[str, list[list[float]]] = json.loads(text)
    chi = np.zeros((20, N_ROTAMERS, N_CHI))
    probability = np.zeros((20, N_ROTAMERS))
    exists = np.zeros((20, N_ROTAMERS), dtype=bool)
    for residue, name in enumerate(NAMES):
        rows = measured.get(name, [[1.0]])
        for rotamer, (frequency, *angles) in enumerate(rows):
            probability[residue, rotamer] = frequency
            chi[residue, rotamer, : len(angles)] = angles
        exists[residue, : len(rows)] = True
    return RotamerTable(np.radians(chi), probability / probability.sum(-1, keepdims=True), exists)
