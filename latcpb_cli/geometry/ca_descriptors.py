"""Rotation-invariant descriptors of the Cα trace around each residue; mirror images differ."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.geometry.links import next_rows

__all__ = ["ca_descriptors"]

_OFFSETS = (2, 3, 4)  # residues up and down the chain whose distance is measured
_CA_CA = 3.8  # Å between two Cα: its square converts volumes to lengths

Array = np.ndarray


def ca_descriptors(
    ca: Float[Array, "F L 3"], linked: Bool[Array, "F L"], next_residue: Int[Array, "L"] | None = None
) -> Float[Array, "F L 8"]:
    """Describe the chain around each residue of each frame.

    Parameters
    ----------
    ca : numpy.ndarray, shape (F, L, 3)
        Cα positions, Å.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.

    Returns
    -------
    numpy.ndarray of float64, shape (F, L, 8)
        Distances to the second, third and fourth residue up and down the chain; then the signed
        volumes spanned by the three successive Cα-Cα steps that start two residues and one residue
        before, divided by 3.8² Å². All are in Å, and 0 where the chain is too short.
    """
    ca, following = ca.astype(np.float64), next_rows(next_residue, linked.shape[1])
    # Rows of the residues 0, 1, ... further on, and whether peptides lead there.
    rows, joined = [np.arange(len(following))], [np.ones_like(linked)]
    for _ in range(_OFFSETS[-1]):
        joined.append(joined[-1] & linked[:, rows[-1]])
        rows.append(following[rows[-1]])
    columns = []
    for offset in _OFFSETS:
        length = np.linalg.norm(ca[:, rows[offset]] - ca, axis=-1)
        length = np.where(joined[offset], length, 0.0)
        columns += [length, _move(length, rows[offset])]
    steps = [ca[:, rows[number + 1]] - ca[:, rows[number]] for number in range(3)]
    volume = (np.cross(steps[0], steps[1]) * steps[2]).sum(-1) / _CA_CA**2
    volume = np.where(joined[3], volume, 0.0)
    columns += [_move(volume, rows[2]), _move(volume, rows[1])]
    return np.stack(columns, axis=-1)


def _move(values: Float[Array, "F L"], rows: Int[Array, "L"]) -> Float[Array, "F L"]:
    """Put the value of each residue in another row."""
    moved = np.empty_like(values)
    moved[:, rows] = values
    return moved
