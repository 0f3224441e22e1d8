"""Side chains in a rotamer that hardly any crystal structure has."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.chem.residues import CHI_ATOMS
from latcpb_cli.chem.rotamers import rotamer_index, rotamer_table
from latcpb_cli.metrics.count import Check

__all__ = ["MIN_PROBABILITY", "check_rotamers"]

MIN_PROBABILITY = 0.003
"""Least frequency of a rotamer among residues of its type; the 0.3 % at which MolProbity draws the
contour of outliers (Hintze et al. 2016, doi:10.1002/prot.25039)."""


def check_rotamers(types: Int[np.ndarray, "L"], chi: Float[np.ndarray, "F L 4"]) -> Check:
    """Check whether side chains are in a rotamer below 0.3 %.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    chi : numpy.ndarray, shape (F, L, 4)
        In radians, NaN where there is none.

    Returns
    -------
    Check
        Of L cases: the residues that have all their chi angles.
    """
    hit = np.zeros(chi.shape[:2], dtype=bool)
    mask = np.zeros(chi.shape[:2], dtype=bool)
    probability = rotamer_table().probability
    for residue in np.unique(types).tolist():
        n_chi = len(CHI_ATOMS[residue])
        if n_chi == 0:
            continue
        rows = types == residue
        angles = chi[:, rows]
        complete = np.isfinite(angles[..., :n_chi]).all(axis=-1)
        index = rotamer_index(np.nan_to_num(angles).reshape(-1, chi.shape[2]), residue)
        hit[:, rows] = probability[residue, index.reshape(complete.shape)] < MIN_PROBABILITY
        mask[:, rows] = complete
    return Check(hit, mask)
