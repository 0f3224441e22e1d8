"""Masses of heavy atoms."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float

from latcpb_cli.chem.bonds import element_index
from latcpb_cli.chem.residues import ELEMENTS

__all__ = ["atom_masses"]

_MASS = {"C": 12.011, "N": 14.007, "O": 15.999, "S": 32.06}
"""Standard atomic weights (IUPAC 2021)."""


@cache
def atom_masses() -> Float[np.ndarray, "20 15"]:
    """Return the mass of the atom in each slot of each residue type; meaningless in slots without an atom."""
    return np.asarray(np.array([_MASS[element] for element in ELEMENTS])[element_index()])
