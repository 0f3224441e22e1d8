"""Backbone and side-chain torsions, and divergences between two distributions of them."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, CHI_SYMMETRIC, N_SLOT, NAMES
from latcpb_cli.chem.zmatrix import N_CHI, chi_slots
from latcpb_cli.geometry.angles import torsion
from latcpb_cli.geometry.links import next_rows

__all__ = [
    "HISTOGRAM_BINS",
    "KL_ANGLES",
    "TORSION_NAMES",
    "chi_periods",
    "divergences",
    "torsion_histograms",
    "measure_chis",
    "measure_torsions",
]

TORSION_NAMES = ("phi", "psi", "omega", "chi1", "chi2", "chi3", "chi4")
KL_ANGLES = ("phi", "psi", "chi1", "chi2", "chi3", "chi4")
"""The torsions whose distributions are compared."""
HISTOGRAM_BINS = 72
"""Bins of 5 degrees."""
_PHI, _PSI, _OMEGA, _FIRST_CHI = range(4)

Array = np.ndarray


@cache
def chi_periods() -> Float[Array, "20 4"]:
    """Period (rad) of each chi angle of each residue type: pi for symmetric ends, otherwise 2 pi."""
    periods = np.full((len(NAMES), N_CHI), 2 * np.pi)
    for name, chi in CHI_SYMMETRIC.items():
        periods[NAMES.index(name), chi] = np.pi
    return periods


def measure_torsions(
    types: Int[Array, "L"],
    atoms: Float[Array, "F L 15 3"],
    present: Bool[Array, "L 15"],
    linked: Bool[Array, "F L"],
    next_residue: Int[Array, "L"] | None = None,
    *,
    chis: bool = True,
) -> Float[Array, "F L 7"]:
    """Measure all torsions of each frame.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    atoms : numpy.ndarray, shape (F, L, 15, 3)
        In Å.
    present : numpy.ndarray of bool, shape (L, 15)
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.
    chis : bool
        Whether chi angles are measured; they are NaN otherwise.

    Returns
    -------
    numpy.ndarray of float64, shape (F, L, 7)
        Radians, in the order of ``TORSION_NAMES``; NaN where a torsion does
        not exist or lacks an atom. omega of a residue is that of the peptide
        before it.
    """
    points = _known_points(atoms, present)
    torsions = np.full((*atoms.shape[:2], len(TORSION_NAMES)), np.nan)
    after, joined = next_rows(next_residue, len(types)), linked[:, :, None]
    n, ca, c = (points[:, :, slot] for slot in (N_SLOT, CA_SLOT, C_SLOT))
    next_n, next_ca, next_c = (np.where(joined, x[:, after], np.nan) for x in (n, ca, c))
    torsions[:, after, _PHI] = torsion(c, next_n, next_ca, next_c)
    torsions[:, :, _PSI] = torsion(n, ca, c, next_n)
    torsions[:, after, _OMEGA] = torsion(ca, c, next_n, next_ca)
    if chis:
        torsions[:, :, _FIRST_CHI:] = _chis(types, points)
    return torsions


def measure_chis(
    types: Int[Array, "L"], atoms: Float[Array, "F L 15 3"], present: Bool[Array, "L 15"]
) -> Float[Array, "F L 4"]:
    """Measure chi 1 to 4 of each frame, as `measure_torsions` does with the other torsions."""
    return _chis(types, _known_points(atoms, present))


def _known_points(atoms: Float[Array, "F L 15 3"], present: Bool[Array, "L 15"]) -> Float[Array, "F L 15 3"]:
    return np.where(present[:, :, None], atoms, np.nan).astype(np.float64)


def _chis(types: Int[Array, "L"], points: Float[Array, "F L 15 3"]) -> Float[Array, "F L 4"]:
    slots = chi_slots()[types]
    chis = np.full((*points.shape[:2], slots.shape[1]), np.nan)
    residue, number = np.nonzero(slots[..., 0] >= 0)
    corners = (points[:, residue, slot] for slot in slots[residue, number].T)
    chis[:, residue, number] = torsion(*corners)
    return chis


def torsion_histograms(
    types: Int[Array, "L"], torsions: Float[Array, "F L 7"]
) -> dict[str, Int[Array, "72"]]:
    """Count torsions in bins of 5 degrees, over all residues and frames.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    torsions : numpy.ndarray, shape (F, L, 7)
        From `measure_torsions`; NaN is left out. Symmetric ends (chi2 of Asp, Phe
        and Tyr, chi3 of Glu) are counted in both of their equal positions.

    Returns
    -------
    dict of str to numpy.ndarray of int64, shape (72,)
        By the names in ``KL_ANGLES``; bin 0 starts at -180 degrees.
    """
    histograms = {}
    for name in KL_ANGLES:
        column = TORSION_NAMES.index(name)
        values = torsions[..., column]
        if name.startswith("chi"):
            symmetric = chi_periods()[types, column - _FIRST_CHI] < 2 * np.pi
            values = np.concatenate([values.ravel(), (values[..., symmetric] + np.pi).ravel()])
        values = values[np.isfinite(values)]
        bins = np.floor((values + np.pi) / (2 * np.pi) * HISTOGRAM_BINS).astype(np.int64)
        histograms[name] = np.bincount(bins % HISTOGRAM_BINS, minlength=HISTOGRAM_BINS)
    return histograms


def divergences(
    reference: dict[str, Int[Array, "72"]], generated: dict[str, Int[Array, "72"]]
) -> dict[str, dict[str, float | None]]:
    """Return the divergences between torsion histograms.

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
    tables: dict[str, dict[str, float | None]] = {"kl": {}, "js": {}}
    for name in KL_ANGLES:
        empty = reference[name].sum() == 0 or generated[name].sum() == 0
        p, q = (histograms[name] + 1.0 for histograms in (generated, reference))
        p, q = p / p.sum(), q / q.sum()
        middle = (p + q) / 2
        tables["kl"][name] = None if empty else _kl(p, q)
        tables["js"][name] = None if empty else (_kl(p, middle) + _kl(q, middle)) / 2
    for table in tables.values():
        values = [value for value in table.values() if value is not None]
        table["mean"] = float(np.mean(values)) if values else None
    return tables


def _kl(p: Array, q: Array) -> float:
    return float(np.sum(p * np.log(p / q)))
