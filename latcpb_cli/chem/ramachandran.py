"""Favoured and allowed regions of phi and psi, by class of residue.

``ramachandran.txt`` holds one map per class of residue, made from crystal
structures by ``benchmarks/measure_ramachandran.py``: ``+`` marks the region of
98 % of the residues, ``-`` the one of 99.95 %, ``.`` the rest. Rows are phi,
columns psi, 4 degrees each, from -180.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residues import GLY, PRO

__all__ = [
    "RESIDUE_CLASSES",
    "MAP_BINS",
    "map_bin",
    "ramachandran_level",
    "ramachandran_maps",
    "residue_classes",
]

RESIDUE_CLASSES = ("general", "glycine", "proline", "pre-proline")
MAP_BINS = 90
"""Rows, and columns, of a map: 4 degrees each."""
_LEVELS = ".-+"


@cache
def ramachandran_maps() -> Int[np.ndarray, "4 90 90"]:
    """Levels (int8) by class, phi bin and psi bin: 0 outlier, 1 allowed, 2 favoured."""
    text = files("latcpb_cli.chem").joinpath("ramachandran.txt").read_text(encoding="utf-8")
    blocks = {title: rows for title, *rows in (block.split("\n") for block in text.strip().split("\n\n"))}
    marks = "".join(row for name in RESIDUE_CLASSES for row in blocks[name]).encode("ascii")
    level = np.zeros(128, dtype=np.int8)
    level[list(_LEVELS.encode("ascii"))] = range(len(_LEVELS))
    return level[np.frombuffer(marks, np.uint8)].reshape(len(RESIDUE_CLASSES), MAP_BINS, MAP_BINS)


def residue_classes(
    types: Int[np.ndarray, "L"], before_proline: Bool[np.ndarray, "L"]
) -> Int[np.ndarray, "L"]:
    """Return the index into ``RESIDUE_CLASSES`` of each residue, given whether a proline follows it."""
    general, glycine, proline, pre_proline = range(len(RESIDUE_CLASSES))
    classes = np.where(before_proline, pre_proline, general)
    classes[types == GLY] = glycine
    classes[types == PRO] = proline
    return classes


def map_bin(radians: Float[np.ndarray, "*n"]) -> Int[np.ndarray, "*n"]:
    """Return the row or column of angles (rad) in the maps."""
    return np.floor((radians + np.pi) / (2 * np.pi) * MAP_BINS).astype(np.int64) % MAP_BINS


def ramachandran_level(
    types: Int[np.ndarray, "L"],
    before_proline: Bool[np.ndarray, "L"],
    phi: Float[np.ndarray, "F L"],
    psi: Float[np.ndarray, "F L"],
) -> Int[np.ndarray, "F L"]:
    """Classify backbone torsions as favoured, allowed or outlier.

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
    defined = np.isfinite(phi) & np.isfinite(psi)
    rows, columns = map_bin(np.where(defined, phi, 0.0)), map_bin(np.where(defined, psi, 0.0))
    levels = ramachandran_maps()[residue_classes(types, before_proline), rows, columns]
    return np.where(defined, levels, -1)
