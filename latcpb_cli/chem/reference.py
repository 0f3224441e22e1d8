"""Reference bond lengths and angles of each residue type.

Means over crystal structures; ``reference.json`` holds them in Å and degrees
and is made by ``benchmarks/measure_reference.py``. The codec builds structures
from these values, and the metrics measure deviations from them.
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float

from latcpb_cli.chem.residues import N_SLOTS, NAMES, slot_of

__all__ = ["peptide_reference", "reference_angle", "reference_length"]


@cache
def _tables() -> dict[str, dict[str, dict[str, float]]]:
    text = files("latcpb_cli.chem").joinpath("reference.json").read_text(encoding="utf-8")
    tables: dict[str, dict[str, dict[str, float]]] = json.loads(text)
    return tables


@cache
def reference_length() -> Float[np.ndarray, "20 15 15"]:
    """Bond lengths (Å) by residue type and two slots, symmetric, NaN where there is no bond."""
    table = np.full((len(NAMES), N_SLOTS, N_SLOTS), np.nan)
    for residue, name in enumerate(NAMES):
        for bond, length in _tables()[name]["bonds"].items():
            a, b = (slot_of(name, atom) for atom in bond.split("-"))
            table[residue, a, b] = table[residue, b, a] = length
    return table


@cache
def reference_angle() -> Float[np.ndarray, "20 15 15 15"]:
    """Bond angles (rad) by residue type and three slots, apex in the middle, NaN where there is none."""
    table = np.full((len(NAMES), N_SLOTS, N_SLOTS, N_SLOTS), np.nan)
    for residue, name in enumerate(NAMES):
        for triple, degrees in _tables()[name]["angles"].items():
            a, b, c = (slot_of(name, atom) for atom in triple.split("-"))
            table[residue, a, b, c] = table[residue, c, b, a] = math.radians(degrees)
    return table


def peptide_reference() -> dict[str, float]:
    """Reference geometry of the peptide link in Å and radians.

    Keys are ``C-N``, ``CA-C-N``, ``O-C-N`` and ``C-N-CA``; before a proline
    they start with ``PRO``, and there is ``PRO C-N-CD`` besides.
    """
    peptide = _tables()["peptide"]
    return {**peptide["bonds"], **{key: math.radians(value) for key, value in peptide["angles"].items()}}
