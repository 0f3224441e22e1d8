"""Reference bond lengths and angles of each residue type.

Means over crystal structures; ``reference.json`` holds them in Å and degrees
and is made by ``benchmarks/measure_reference.py``. The codec builds with
them, and the metrics judge by them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import numpy as np

from latcpb_cli.chem.residues import N_SLOTS, NAMES, slot_of

__all__ = ["peptide_reference", "reference_angle", "reference_length"]


@cache
def _tables() -> dict[str, dict[str, dict[str, float]]]:
    text = files("latcpb_cli.chem").joinpath("reference.json").read_text(encoding="utf-8")
    tables: dict[str, dict[str, dict[str, float]]] = json.loads(text)
    return tables


@cache
def reference_length() -> np.ndarray:
    """Bond lengths (Å): float64, shape (20, 15, 15), symmetric, NaN where there is no bond."""
    table = np.full((len(NAMES), N_SLOTS, N_SLOTS), np.nan)
    for residue, name in enumerate(NAMES):
        for bond, length in _tables()[name]["bonds"].items():
            a, b = (slot_of(name, atom) for atom in bond.split("-"))
            table[residue, a, b] = table[residue, b, a] = length
    return table


@cache
def reference_angle() -> np.ndarray:
    """Bond angles (radians): float64, shape (20, 15, 15, 15), apex in the middle, NaN for none."""
    table = np.full((len(NAMES), N_SLOTS, N_SLOTS, N_SLOTS), np.nan)
    for residue, name in enumerate(NAMES):
        for triple, degrees in _tables()[name]["angles"].items():
            a, b, c = (slot_of(name, atom) for atom in triple.split("-"))
            table[residue, a, b, c] = table[residue, c, b, a] = np.radians(degrees)
    return table


def peptide_reference() -> dict[str, float]:
    """Geometry of the peptide link in Å and radians.

    Keys are ``C-N``, ``CA-C-N``, ``O-C-N`` and ``C-N-CA``; before a proline
    they start with ``PRO``, and ``PRO C-N-CD`` is there too.
    """
    peptide = _tables()["peptide"]
    return {**peptide["bonds"], **{key: float(np.radians(value)) for key, value in peptide["angles"].items()}}
