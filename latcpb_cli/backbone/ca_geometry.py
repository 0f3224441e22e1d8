"""How odd a trace is, and Cα moved a little where no peptide fits between them.

Coarse-grained beads are often further apart, or nearer, than a planar peptide
can be, and bend where no N-CA-C angle can. Asked to, we bring Cα-Cα distances
and virtual angles back, moving no bead further than it may go.
"""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.ideal import peptide_shapes
from latcpb_cli.chem.residues import LETTERS
from latcpb_cli.geometry.peptide import CIS_CUTOFF, CIS_CUTOFF_PRO

__all__ = ["bond_bounds", "ease_trace", "odd_spacing"]

_USUAL, _RAMP = 0.08, 0.04  # Å off the ideal Cα-Cα distance: as far as crystals go, and until it is odd
_SPREAD = 0.05  # Å about the ideal Cα-Cα distance that is left alone
_ANGLES = np.radians([88.0, 138.0])  # virtual angles that proteins have
_ROUNDS = 100
_SHARE = 0.4  # of each correction: a bead takes part in up to five of them

Array = np.ndarray


def ease_trace(positions: Array, types: Array, linked: Array, tolerance: float) -> Array:
    """Move Cα towards distances and angles that peptides can span.

    Parameters
    ----------
    positions : numpy.ndarray, shape (F, L, 3)
        Cα in Å.
    types : numpy.ndarray of int64, shape (L,)
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins residue i to i+1.
    tolerance : float
        How far (Å) a Cα may move at most.

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, 3)
        Beads that fit stay where they are, to the bit. A frame does not
        depend on the others.
    """
    start = positions.astype(np.float64)
    bonds, spans = bond_bounds(start, types, linked), _span_bounds(start, types, linked)
    moved = np.zeros_like(start)
    for _ in range(_ROUNDS):
        points = start + moved
        change = np.zeros_like(start)
        for gap, (low, high) in ((1, bonds), (2, spans)):
            step = points[:, gap:] - points[:, :-gap]
            length = np.sqrt((step * step).sum(-1)) + 1e-9
            off = length - np.clip(length, low, high)
            pull = (0.5 * _SHARE * off / length)[..., None] * step
            change[:, :-gap] += pull
            change[:, gap:] -= pull
        moved += change
        far = np.sqrt((moved * moved).sum(-1, keepdims=True))
        moved *= np.minimum(1.0, tolerance / np.maximum(far, 1e-9))
    still = (moved == 0.0).all(-1, keepdims=True)
    return np.where(still, positions, (start + moved).astype(np.float32))


def odd_spacing(positions: Array, types: Array, linked: Array) -> Array:
    """How odd the distances to the Cα before and after each are: 0 as in crystals, 1 from 0.12 Å off.

    Parameters
    ----------
    positions : numpy.ndarray, shape (F, L, 3)
        Cα in Å.
    types : numpy.ndarray of int64, shape (L,)
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins residue i to i+1.

    Returns
    -------
    numpy.ndarray of float64, shape (F, L)
    """
    step = np.diff(positions.astype(np.float64), axis=1)
    off = np.abs(np.sqrt((step * step).sum(-1)) - _ideal(positions, types))
    ahead = linked[:, :-1] * np.clip((off - _USUAL) / _RAMP, 0.0, 1.0)
    odd = np.zeros(linked.shape)
    odd[:, :-1] = ahead
    odd[:, 1:] = np.maximum(odd[:, 1:], ahead)
    return odd


def bond_bounds(ca: Array, types: Array, linked: Array) -> tuple[Array, Array]:
    """Least and greatest distance (Å) to the next Cα: (..., L-1) each, for Cα (..., L, 3); none at breaks."""
    ideal, joined = _ideal(ca, types), linked[..., :-1]
    return np.where(joined, ideal - _SPREAD, 0.0), np.where(joined, ideal + _SPREAD, np.inf)


def _span_bounds(ca: Array, types: Array, linked: Array) -> tuple[Array, Array]:
    """Least and greatest distance (Å) to the Cα after the next: (..., L-2) each; none over breaks."""
    ideal, joined = _ideal(ca, types), linked[..., :-1]
    one, two = ideal[..., :-1], ideal[..., 1:]
    both = joined[..., :-1] & joined[..., 1:]
    near, far = (np.sqrt(one**2 + two**2 - 2 * one * two * np.cos(angle)) for angle in _ANGLES)
    return np.where(both, near, 0.0), np.where(both, far, np.inf)


def _ideal(ca: Array, types: Array) -> Array:
    """Distance (Å) that the peptide to the next Cα would span, cis or trans."""
    trans, cis = (shape.ca_ca for shape in peptide_shapes())
    step = ca[..., 1:, :] - ca[..., :-1, :]
    cutoff = np.where(types[1:] == LETTERS.index("P"), CIS_CUTOFF_PRO, CIS_CUTOFF)
    return np.where(np.sqrt((step * step).sum(-1)) < cutoff, cis, trans)
