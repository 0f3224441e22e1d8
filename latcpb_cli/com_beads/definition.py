"""Beads at centres of residues or of side chains: which point of its atoms such a bead is.

CALVADOS 3 (Cao et al. 2024, Protein Science 33, e5172) puts the beads of folded domains at the centre of mass
of the atoms that a structure file has of a residue, which are the heavy atoms in crystal structures and
predictions. The second oxygen of a C terminus, which only the last residue of a chain has, is left out.

The second bead of models with two beads per residue is the centre of mass, or of geometry, of the heavy atoms
of a side chain from CB on. Glycine has none, and that of alanine is CB.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.masses import atom_masses
from latcpb_cli.chem.residues import CB_SLOT, NAMES, OXT_SLOT, slot_mask
from latcpb_cli.choices import SideChainCenter
from latcpb_cli.device import table_on
from latcpb_cli.structure import CGTrace

__all__ = ["bead_positions", "bead_weights", "center_weights", "centers_of_mass", "side_chain_weights"]


@cache
def center_weights() -> Float[np.ndarray, "20 15"]:
    """Return the share of each slot in the mass of each residue type: rows that add up to 1."""
    masses = np.where(slot_mask(), atom_masses(), 0.0)
    masses[:, OXT_SLOT] = 0.0
    return np.asarray(masses / masses.sum(axis=1, keepdims=True))


@cache
def side_chain_weights(center: SideChainCenter) -> Float[np.ndarray, "20 15"]:
    """Return the share of each slot in the centre of the side chain: rows that add up to 1, zeros for Gly."""
    weights = np.where(slot_mask(), atom_masses() if center == "mass" else 1.0, 0.0)
    weights[:, :CB_SLOT] = 0.0
    weights[:, OXT_SLOT] = 0.0
    return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1.0))


def bead_weights(trace: CGTrace) -> Float[np.ndarray, "L 15"]:
    """Return the share of each slot in the bead of each residue that is a centre; zeros without one.

    Side chains of modified residues have atoms beyond these slots, and no weights.
    """
    types = trace.residue_types
    if trace.side_chain_center is not None:
        is_standard = trace.residue_kinds < len(NAMES)
        return np.where(is_standard[:, None], side_chain_weights(trace.side_chain_center)[types], 0.0)
    is_com = np.zeros(len(trace), dtype=bool) if trace.com_beads is None else trace.com_beads
    return np.where(is_com[:, None], center_weights()[types], 0.0)


def bead_positions(
    atoms: Float[Tensor, "*b L 15 3"], weights: Float[Tensor, "L 15"]
) -> Float[Tensor, "*b L 3"]:
    """Return the beads (Å) of residues with all heavy atoms (Å), from the share of each slot."""
    return (weights[..., None] * atoms).sum(-2)


def centers_of_mass(atoms: Float[Tensor, "*b L 15 3"], types: Int[Tensor, "L"]) -> Float[Tensor, "*b L 3"]:
    """Return the centre of mass (Å) of the heavy atoms of each residue.

    Parameters
    ----------
    atoms : Tensor, shape (..., L, 15, 3)
        Å; all heavy atoms of the residues.
    types : Tensor of int64, shape (L,)
        Residue indices.
    """
    return bead_positions(atoms, table_on(atoms.device, center_weights).to(atoms.dtype)[types])
