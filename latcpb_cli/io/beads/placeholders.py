"""Beads at exactly 0, 0, 0: residues that a program listed and never placed."""

from __future__ import annotations

import numpy as np

from latcpb_cli.io.readers.atoms import AtomTable

__all__ = ["find_placeholders"]

_ALONE = 10.0
"""A single bead at the origin is a placeholder only this far (Å) from its neighbours."""


def find_placeholders(beads: AtomTable, positions: np.ndarray) -> np.ndarray:
    """Tell which beads stand for residues without a position.

    Parameters
    ----------
    beads : AtomTable
        L rows.
    positions : numpy.ndarray, shape (L, 3)
        In Å.

    Returns
    -------
    numpy.ndarray of bool, shape (L,)
        All false where every bead is at the origin: then the coordinates are
        missing, not residues.
    """
    zero = np.asarray(~positions.any(axis=-1))
    if zero.all() or not zero.any():
        return np.zeros(len(zero), dtype=bool)
    if zero.sum() > 1:
        return zero
    at = int(np.flatnonzero(zero)[0])
    near = [
        np.linalg.norm(positions[other])
        for other in (at - 1, at + 1)
        if 0 <= other < len(zero) and beads.chain_ids[other] == beads.chain_ids[at]
    ]
    alone = bool(near) and min(near) > _ALONE
    return zero & alone
