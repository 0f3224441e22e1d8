"""Beads at the centres of mass of residues: which point of its atoms such a bead is.

CALVADOS 3 (Cao et al. 2024, Protein Science 33, e5172) puts the beads of folded domains at the centre of mass
of the atoms that a structure file has of a residue, which are the heavy atoms in crystal structures and
predictions. The second oxygen of a C terminus, which only the last residue of a chain has, is left out.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.masses import atom_masses
from latcpb_cli.chem.residues import OXT_SLOT, slot_mask

__all__ = ["center_weights", "centers_of_mass"]


@cache
def center_weights() -> Float[np.ndarray, "20 15"]:
    """Return the share of each slot in the mass of each residue type: rows that add up to 1."""
    masses = np.where(slot_mask(), atom_masses(), 0.0)
    masses[:, OXT_SLOT] = 0.0
    return np.asarray(masses / masses.sum(axis=1, keepdims=True))


def centers_of_mass(atoms: Float[Tensor, "*b L 15 3"], types: Int[Tensor, "L"]) -> Float[Tensor, "*b L 3"]:
    """Return the centre of mass (Å) of the heavy atoms of each residue.

    Parameters
    ----------
    atoms : Tensor, shape (..., L, 15, 3)
        Å; all heavy atoms of the residues.
    types : Tensor of int64, shape (L,)
        Residue indices.
    """
    weights = torch.from_numpy(center_weights()).to(atoms.device, atoms.dtype)[types]
    return (weights[..., None] * atoms).sum(-2)
