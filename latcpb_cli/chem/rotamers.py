"""Rotameric states of side chains: cells of the chi angles, and their centres.

Each chi is cut into cells at the minima of its distribution; a state is one
cell for each chi of the residue. ``rotamers.json``, made by
``benchmarks/measure_rotamers.py``, holds the mean chi and the share of every
state in training structures. Angles in degrees in the file, in radians here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product

import numpy as np

from latcpb_cli.chem.internal import N_CHI
from latcpb_cli.chem.residues import CHI_ATOMS, NAMES

__all__ = ["N_ROTAMERS", "Cells", "RotamerTable", "chi_cells", "rotamer_of", "rotamer_table", "states"]

N_ROTAMERS = 81
"""States of the residue types that have most (Arg and Lys)."""


@dataclass(frozen=True)
class Cells:
    """How one chi is cut.

    Attributes
    ----------
    edges : tuple of float
        Where each cell begins, in degrees, rising; the last one ends where the first begins.
    period : float
        180 for symmetric ends, otherwise 360.
    """

    edges: tuple[float, ...]
    period: float = 360.0


_STAGGERED = Cells((0.0, 120.0, 240.0))
_CARBOXYL = Cells((-90.0, -30.0, 30.0), 180.0)
_RING = Cells((40.0, 130.0), 180.0)
_CELLS: dict[tuple[str, int], Cells] = {
    ("ASP", 1): _CARBOXYL,
    ("GLU", 2): _CARBOXYL,
    ("ASN", 1): Cells((0.0, 60.0, 120.0, 180.0, 240.0, 300.0)),
    ("GLN", 2): Cells((-30.0, 30.0, 90.0, 150.0, 210.0, 270.0)),
    ("PHE", 1): _RING,
    ("TYR", 1): _RING,
    ("TRP", 1): Cells((-50.0, 45.0, 150.0)),
    ("PRO", 0): Cells((0.0, 180.0)),
    ("PRO", 1): Cells((0.0,)),  # the ring's pucker is one state: chi 1 tells it
}


@dataclass(frozen=True, eq=False)
class RotamerTable:
    """States of all residue types.

    Attributes
    ----------
    chi : numpy.ndarray, shape (20, 81, 4)
        Centre of each state, rad.
    share : numpy.ndarray, shape (20, 81)
        How common the state is among residues of its type; sums to one.
    exists : numpy.ndarray of bool, shape (20, 81)
        Types without chi angles have one state.
    """

    chi: np.ndarray
    share: np.ndarray
    exists: np.ndarray


def chi_cells(residue: int) -> list[Cells]:
    """Cells of each chi of a residue type."""
    name = NAMES[residue]
    return [_CELLS.get((name, chi), _STAGGERED) for chi in range(len(CHI_ATOMS[residue]))]


def states(residue: int) -> list[tuple[int, ...]]:
    """Cell numbers of every state of a residue type, chi 1 slowest."""
    return list(product(*(range(len(cells.edges)) for cells in chi_cells(residue))))


def rotamer_of(chi: np.ndarray, residue: int) -> np.ndarray:
    """State of chi angles (N, 4) in radians of residues of one type: int64 (N,)."""
    state = np.zeros(len(chi), dtype=np.int64)
    for index, cells in enumerate(chi_cells(residue)):
        edges = np.asarray(cells.edges)
        angle = (np.degrees(chi[:, index]) - edges[0]) % cells.period + edges[0]
        state = state * len(edges) + np.searchsorted(edges, angle, side="right") - 1
    return state


@cache
def rotamer_table() -> RotamerTable:
    """The measured states."""
    measured = json.loads(resources.files("latcpb_cli.chem").joinpath("rotamers.json").read_text())
    chi = np.zeros((20, N_ROTAMERS, N_CHI))
    share = np.zeros((20, N_ROTAMERS))
    exists = np.zeros((20, N_ROTAMERS), dtype=bool)
    for residue, name in enumerate(NAMES):
        rows = measured.get(name, [[1.0]])
        for state, (part, *angles) in enumerate(rows):
            share[residue, state] = part
            chi[residue, state, : len(angles)] = np.radians(angles)
        exists[residue, : len(rows)] = True
    return RotamerTable(chi, share / share.sum(-1, keepdims=True), exists)
