"""Distances of the centres of side chains from their Cα."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from latcpb_cli.chem.residues import NAMES

__all__ = ["center_distances", "has_rigid_center"]

_DISTANCES = {
    "mass": (
        1.52, 4.32, 2.54, 2.56, 2.39, 3.19, 3.27, np.nan, 3.20, 2.33, 2.63, 3.67, 3.23, 3.42, 1.88, 1.97,
        1.96, 3.86, 3.88, 1.96,
    ),
    "geometry": (
        1.52, 4.23, 2.49, 2.48, 2.07, 3.10, 3.15, np.nan, 3.16, 2.33, 2.63, 3.60, 2.98, 3.42, 1.88, 1.90,
        1.94, 3.85, 3.77, 1.96,
    ),
}  # fmt: skip
"""Means (Å) in chains held out of training. In one residue of a thousand, the distance is more than 1.4 Å
shorter, or 0.6 Å longer, than the mean."""
_RIGID = "ALA ASN ASP HIS LEU PHE PRO SER THR TYR VAL".split()
"""Residues in which the distance has a standard deviation of 0.06 Å or less."""


@cache
def center_distances(center: Literal["mass", "geometry"]) -> Float[np.ndarray, "20"]:
    """Return the mean distance (Å) of the centre of each side chain from its Cα; nan for glycine."""
    return np.array(_DISTANCES[center])


@cache
def has_rigid_center() -> Bool[np.ndarray, "20"]:
    """Return the residue types whose centre has nearly the same distance in all rotamers."""
    return np.isin(NAMES, _RIGID)
