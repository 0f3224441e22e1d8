"""Atoms of residues in the frames of their own backbones."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT

__all__ = ["local_coordinates"]


def local_coordinates(atoms: np.ndarray) -> np.ndarray:
    """Atoms (F, L, 15, 3) in the frame of N, CA and C of their residue; NaN where these are on one point."""
    n, ca, c = (atoms[:, :, slot].astype(np.float64) for slot in (N_SLOT, CA_SLOT, C_SLOT))
    with np.errstate(invalid="ignore"):
        first = (c - ca) / np.linalg.norm(c - ca, axis=-1, keepdims=True)
        second = (n - ca) - ((n - ca) * first).sum(-1, keepdims=True) * first
        second /= np.linalg.norm(second, axis=-1, keepdims=True)
    axes = np.stack([first, second, np.cross(first, second)], axis=-1)
    local: np.ndarray = (atoms - ca[:, :, None]) @ axes
    return local
