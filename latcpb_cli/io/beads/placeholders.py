"""Beads at exactly 0, 0, 0: residues that a program lists without coordinates."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from latcpb_cli.io.readers.atoms import AtomTable

__all__ = ["find_placeholders"]

_MIN_ISOLATION = 10.0
"""Distance (Å) to its neighbours from which a single bead at the origin is a placeholder."""


def find_placeholders(beads: AtomTable, positions: Float[np.ndarray, "L 3"]) -> Bool[np.ndarray, "L"]:
    """Mark the beads of residues that have no coordinates.

    Parameters
    ----------
    beads : AtomTable
        L rows.
    positions : numpy.ndarray, shape (L, 3)
        In Å.

    Returns
    -------
    numpy.ndarray of bool, shape (L,)
        All false where every bead is at the origin: then the file has no
        coordinates at all.
    """
    at_origin = np.asarray(~positions.any(axis=-1))
    if at_origin.all() or not at_origin.any():
        return np.zeros(len(at_origin), dtype=bool)
    if at_origin.sum() > 1:
        return at_origin
    index = int(np.flatnonzero(at_origin)[0])
    distances = [
        np.linalg.norm(positions[other])
        for other in (index - 1, index + 1)
        if 0 <= other < len(at_origin) and beads.chain_ids[other] == beads.chain_ids[index]
    ]
    isolated = bool(distances) and min(distances) > _MIN_ISOLATION
    return at_origin & isolated
