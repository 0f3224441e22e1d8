"""Favoured and allowed regions of phi and psi.

``ramachandran.txt`` holds one map per class of residue, made from crystal
structures by ``benchmarks/measure_ramachandran.py``: ``+`` marks the region of
98 % of the residues, ``-`` the one of 99.95 %, ``.`` the rest. Rows are phi,
columns psi, 4 degrees each, from -180.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np

from latcpb_cli.chem.residues import NAMES

__all__ = ["CLASSES", "MAP_BINS", "map_bin", "ramachandran_level", "ramachandran_maps", "residue_classes"]

CLASSES = ("general", "glycine", "proline", "pre-proline")
MAP_BINS = 90
_LEVELS = ".-+"


@cache
def ramachandran_maps() -> np.ndarray:
    """Levels by class, phi bin and psi bin: int8, shape (4, 90, 90); 0 outlier, 1 allowed, 2 favoured."""
    text = files("latcpb_cli.chem").joinpath("ramachandran.txt").read_text(encoding="utf-8")
    blocks = {title: rows for title, *rows in (block.split("\n") for block in text.strip().split("\n\n"))}
    levels = [[[_LEVELS.index(mark) for mark in row] for row in blocks[name]] for name in CLASSES]
    return np.array(levels, dtype=np.int8)


def residue_classes(types: np.ndarray, before_proline: np.ndarray) -> np.ndarray:
    """Index into ``CLASSES`` of each residue: int64, shape (L,); ``before_proline`` is bool, shape (L,)."""
    kinds = np.where(before_proline, CLASSES.index("pre-proline"), CLASSES.index("general"))
    kinds[types == NAMES.index("GLY")] = CLASSES.index("glycine")
    kinds[types == NAMES.index("PRO")] = CLASSES.index("proline")
    return kinds


def map_bin(radians: np.ndarray) -> np.ndarray:
    """Row or column of an angle in the maps; int64, the shape of the input."""
    return np.floor((radians + np.pi) / (2 * np.pi) * MAP_BINS).astype(np.int64) % MAP_BINS


def ramachandran_level(
    types: np.ndarray, before_proline: np.ndarray, phi: np.ndarray, psi: np.ndarray
) -> np.ndarray:
    """Judge backbone torsions.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    before_proline : numpy.ndarray of bool, shape (L,)
        Whether the next residue of the chain is a proline.
    phi, psi : numpy.ndarray, shape (F, L)
        Radians, NaN where there is none.

    Returns
    -------
    numpy.ndarray of int64, shape (F, L)
        2 favoured, 1 allowed, 0 outlier, -1 where phi or psi is missing.
    """
    known = np.isfinite(phi) & np.isfinite(psi)
    rows, columns = map_bin(np.where(known, phi, 0.0)), map_bin(np.where(known, psi, 0.0))
    levels = ramachandran_maps()[residue_classes(types, before_proline), rows, columns]
    return np.where(known, levels, -1)
