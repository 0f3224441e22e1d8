"""Changes that a minimisation must not make: inverted chiral centres, and peptides between cis and trans."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, NAMES, slot_of
from latcpb_cli.geometry.angles import signed_volume, torsion
from latcpb_cli.geometry.links import next_rows
from latcpb_cli.metrics.stereo import is_cis

__all__ = ["count_inverted_centers", "count_isomerized_peptides"]

_CHIRAL_CENTERS = tuple((name, ("CA", "N", "C", "CB")) for name in NAMES if name != "GLY") + (
    ("THR", ("CB", "CA", "OG1", "CG2")),
    ("ILE", ("CB", "CA", "CG1", "CG2")),
)
"""Chiral atoms of each residue type, each with three of its neighbours."""


def count_inverted_centers(
    types: Int[np.ndarray, "L"], before: Float[np.ndarray, "L W 3"], after: Float[np.ndarray, "L W 3"]
) -> int:
    """Count chiral centres (Cα, and Cβ of Thr and Ile) whose chirality differs.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
        Residue types.
    before, after : numpy.ndarray, shape (L, W, 3)
        Atoms by slot, Å.
    """
    inverted = 0
    for name, atoms in _CHIRAL_CENTERS:
        slots = [slot_of(name, atom) for atom in atoms]
        rows = types == NAMES.index(name)
        signs = [np.sign(signed_volume(*np.moveaxis(x[rows][:, slots], 1, 0))) for x in (before, after)]
        inverted += int((signs[0] != signs[1]).sum())
    return inverted


def count_isomerized_peptides(
    before: Float[np.ndarray, "L W 3"],
    after: Float[np.ndarray, "L W 3"],
    linked: Bool[np.ndarray, "L"],
    next_residue: Int[np.ndarray, "L"] | None = None,
) -> int:
    """Count peptides that are cis in one structure and trans in the other.

    Parameters
    ----------
    before, after : numpy.ndarray, shape (L, W, 3)
        Atoms by slot, Å.
    linked : numpy.ndarray of bool, shape (L,)
        Whether a peptide joins each residue to the next.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.
    """
    rows = np.flatnonzero(linked)
    following = next_rows(next_residue, len(linked))[rows]
    omega = [
        torsion(x[rows, CA_SLOT], x[rows, C_SLOT], x[following, N_SLOT], x[following, CA_SLOT])
        for x in (before, after)
    ]
    return int((is_cis(omega[0]) != is_cis(omega[1])).sum())
