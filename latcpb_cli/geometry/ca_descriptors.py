"""Rotation-invariant descriptors of the Cα trace around each residue; mirror images differ."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["ca_descriptors"]

_OFFSETS = (2, 3, 4)  # residues up and down the chain whose distance is measured
_CA_CA = 3.8  # Å between two Cα: its square converts volumes to lengths

Array = np.ndarray


def ca_descriptors(ca: Float[Array, "F L 3"], linked: Bool[Array, "F L"]) -> Float[Array, "F L 8"]:
    """Describe the chain around each residue of each frame.

    Parameters
    ----------
    ca : numpy.ndarray, shape (F, L, 3)
        Cα positions, Å.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins residue i to i+1.

    Returns
    -------
    numpy.ndarray of float64, shape (F, L, 8)
        Distances to the second, third and fourth residue up and down the chain; then the signed
        volumes spanned by the three successive Cα-Cα steps that start two residues and one residue
        before, divided by 3.8² Å². All are in Å, and 0 where the chain is too short.
    """
    ca = ca.astype(np.float64)
    segment = np.cumsum(~linked, axis=1) - ~linked  # number of the unbroken stretch of each residue
    columns = []
    for offset in _OFFSETS:
        length = np.linalg.norm(ca[:, offset:] - ca[:, :-offset], axis=-1)
        length = np.where(segment[:, offset:] == segment[:, :-offset], length, 0.0)
        columns += [_align(length, linked.shape, first) for first in (0, offset)]
    step = np.diff(ca, axis=1)
    volume = (np.cross(step[:, :-2], step[:, 1:-1]) * step[:, 2:]).sum(-1) / _CA_CA**2
    volume = np.where(segment[:, 3:] == segment[:, :-3], volume, 0.0)
    columns += [_align(volume, linked.shape, first) for first in (2, 1)]
    return np.stack(columns, axis=-1)


def _align(values: Float[Array, "F n"], shape: tuple[int, ...], first: int) -> Float[Array, "F L"]:
    """Put values in the columns from ``first`` on, and 0 in the others."""
    column = np.zeros(shape)
    column[:, first : first + values.shape[1]] = values
    return column
