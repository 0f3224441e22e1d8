"""Backbone and side-chain torsions, and how far two samples of them are apart."""

from __future__ import annotations

from functools import cache

import numpy as np

from latcpb_cli.chem.zmatrix import N_CHI, chi_slots
from latcpb_cli.chem.residues import CHI_SYMMETRIC, NAMES
from latcpb_cli.geometry.angles import torsion

__all__ = [
    "HISTOGRAM_BINS",
    "KL_ANGLES",
    "TORSION_NAMES",
    "chi_periods",
    "divergences",
    "torsion_histograms",
    "torsions",
]

TORSION_NAMES = ("phi", "psi", "omega", "chi1", "chi2", "chi3", "chi4")
KL_ANGLES = ("phi", "psi", "chi1", "chi2", "chi3", "chi4")
"""The torsions whose distributions are compared."""
HISTOGRAM_BINS = 72
"""Bins of 5 degrees."""
_N, _CA, _C = 0, 1, 2

Array = np.ndarray


@cache
def chi_periods() -> Array:
    """Period (radians) of each chi: float64, shape (20, 4); pi for the symmetric ends."""
    periods = np.full((len(NAMES), N_CHI), 2 * np.pi)
    for name, chi in CHI_SYMMETRIC.items():
        periods[NAMES.index(name), chi] = np.pi
    return periods


def torsions(types: Array, atoms: Array, present: Array, linked: Array) -> Array:
    """Measure every torsion of some frames.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    atoms : numpy.ndarray, shape (F, L, 15, 3)
        In Å.
    present : numpy.ndarray of bool, shape (L, 15)
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins residue i to i+1.

    Returns
    -------
    numpy.ndarray of float64, shape (F, L, 7)
        Radians, in the order of ``TORSION_NAMES``; NaN where a torsion does
        not exist or lacks an atom. omega of residue i is that of the peptide
        between i-1 and i.
    """
    points = np.where(present[:, :, None], atoms, np.nan).astype(np.float64)
    out = np.full((*atoms.shape[:2], len(TORSION_NAMES)), np.nan)
    backbone = points[:, :, :3]
    before = np.where(linked[:, :-1, None, None], backbone[:, :-1], np.nan)
    after = np.where(linked[:, :-1, None, None], backbone[:, 1:], np.nan)
    here, last = backbone[:, 1:], backbone[:, :-1]
    out[:, 1:, 0] = torsion(before[:, :, _C], here[:, :, _N], here[:, :, _CA], here[:, :, _C])
    out[:, :-1, 1] = torsion(last[:, :, _N], last[:, :, _CA], last[:, :, _C], after[:, :, _N])
    out[:, 1:, 2] = torsion(before[:, :, _CA], before[:, :, _C], here[:, :, _N], here[:, :, _CA])
    out[:, :, 3:] = _chis(types, points)
    return out


def _chis(types: Array, points: Array) -> Array:
    slots = chi_slots()[types]
    has = slots[..., 0] >= 0
    rows = np.arange(len(types))[:, None, None]
    four = points[:, rows, np.maximum(slots, 0)]
    chis = torsion(four[..., 0, :], four[..., 1, :], four[..., 2, :], four[..., 3, :])
    return np.where(has, chis, np.nan)


def torsion_histograms(types: Array, angles: Array) -> dict[str, Array]:
    """Count torsions in bins of 5 degrees, all residues together.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    angles : numpy.ndarray, shape (F, L, 7)
        From `torsions`; NaN is left out. Symmetric ends (Asp, Phe and Tyr
        chi2, Glu chi3) are counted in both of their equal positions.

    Returns
    -------
    dict of str to numpy.ndarray of int64, shape (72,)
        By the names in ``KL_ANGLES``; bin 0 starts at -180 degrees.
    """
    histograms = {}
    for name in KL_ANGLES:
        column = TORSION_NAMES.index(name)
        values = angles[..., column]
        if name.startswith("chi"):
            symmetric = chi_periods()[types, column - 3] < 2 * np.pi
            values = np.concatenate([values.ravel(), (values[..., symmetric] + np.pi).ravel()])
        values = values[np.isfinite(values)]
        bins = np.floor((values + np.pi) / (2 * np.pi) * HISTOGRAM_BINS).astype(np.int64)
        histograms[name] = np.bincount(bins % HISTOGRAM_BINS, minlength=HISTOGRAM_BINS)
    return histograms


def divergences(
    reference: dict[str, Array], generated: dict[str, Array]
) -> dict[str, dict[str, float | None]]:
    """Compare torsion histograms.

    Parameters
    ----------
    reference, generated : dict of str to numpy.ndarray of int64, shape (72,)
        From `torsion_histograms`.

    Returns
    -------
    dict
        ``kl``: KL(generated || reference) in nats after adding one count to
        each bin, ``js``: the Jensen-Shannon divergence in nats; each by angle
        and as ``mean`` over the angles that occur; None for the others.
    """
    out: dict[str, dict[str, float | None]] = {"kl": {}, "js": {}}
    for name in KL_ANGLES:
        empty = reference[name].sum() == 0 or generated[name].sum() == 0
        p, q = (h[name] + 1.0 for h in (generated, reference))
        p, q = p / p.sum(), q / q.sum()
        middle = (p + q) / 2
        out["kl"][name] = None if empty else _kl(p, q)
        out["js"][name] = None if empty else (_kl(p, middle) + _kl(q, middle)) / 2
    for table in out.values():
        known = [value for value in table.values() if value is not None]
        table["mean"] = float(np.mean(known)) if known else None
    return out


def _kl(p: Array, q: Array) -> float:
    return float(np.sum(p * np.log(p / q)))
