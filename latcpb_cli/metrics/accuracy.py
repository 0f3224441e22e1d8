"""How near generated atoms and torsions are to the reference."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.chem.residues import BACKBONE_SLOTS, N_SLOTS, OXT_SLOT, swap_slots
from latcpb_cli.geometry.angles import angle_difference
from latcpb_cli.metrics.count import Count, count_where
from latcpb_cli.metrics.stereo import is_cis
from latcpb_cli.metrics.torsions import TORSION_NAMES, chi_periods

__all__ = [
    "ATOM_SETS",
    "CHI_TOLERANCE",
    "chi_matches",
    "cis_kept",
    "inner_residues",
    "rmsd",
    "squared_deviation",
]

CHI_TOLERANCE = np.radians(40.0)
_BACKBONE = np.isin(np.arange(N_SLOTS), BACKBONE_SLOTS)
_SIDE_CHAIN = (np.arange(N_SLOTS) > 3) & (np.arange(N_SLOTS) != OXT_SLOT)
ATOM_SETS = {"all_heavy": np.ones(N_SLOTS, dtype=bool), "backbone": _BACKBONE, "side_chain": _SIDE_CHAIN}
"""Slots of each set: every heavy atom (CA too), the built backbone N, C and O, the side chain."""
_CHI1 = TORSION_NAMES.index("chi1")
_OMEGA = TORSION_NAMES.index("omega")

Array = np.ndarray


def inner_residues(linked: Array) -> Array:
    """Residues with a peptide on both sides: ``linked`` (F, L) gives bool, shape (F, L)."""
    inner = linked.copy()
    inner[:, 0] = False
    inner[:, 1:] &= linked[:, :-1]
    return inner


def squared_deviation(types: Array, first: Array, second: Array, present: Array) -> Array:
    """Squared distance between equal atoms, symmetric groups in their better position.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    first, second : numpy.ndarray, shape (F, L, 15, 3)
        In Å; nothing is superposed.
    present : numpy.ndarray of bool, shape (L, 15)
        Atoms that both have.

    Returns
    -------
    numpy.ndarray of float64, shape (F, L, 15)
        In Å2, 0 for atoms that are not present.
    """
    squares = _squares(first, second, present)
    slots = swap_slots()
    symmetric = (slots != np.arange(N_SLOTS)).any(axis=1)
    turned_present = np.take_along_axis(present, slots[types], axis=1)
    chosen = np.flatnonzero(symmetric[types] & (turned_present == present).all(axis=1))
    if len(chosen):
        turned = second[:, chosen[:, None], slots[types[chosen]]]
        other = _squares(first[:, chosen], turned, present[chosen])
        better = other.sum(axis=-1) < squares[:, chosen].sum(axis=-1)
        squares[:, chosen] = np.where(better[..., None], other, squares[:, chosen])
    return squares


def _squares(first: Array, second: Array, present: Array) -> Array:
    step = first.astype(np.float64) - second
    return np.where(present, np.einsum("flak,flak->fla", step, step), 0.0)


def rmsd(squares: Array, present: Array, residues: Array, slots: Array) -> Array:
    """Root mean square deviation of each frame over a choice of atoms.

    Parameters
    ----------
    squares : numpy.ndarray, shape (F, L, 15)
        From `squared_deviation`.
    present : numpy.ndarray of bool, shape (L, 15)
    residues : numpy.ndarray of bool, shape (F, L)
        Residues that count.
    slots : numpy.ndarray of bool, shape (15,)
        Slots that count, for instance out of ``ATOM_SETS``.

    Returns
    -------
    numpy.ndarray of float64, shape (F,)
        In Å, NaN for a frame with no such atom.
    """
    chosen = present & slots & residues[..., None]
    atoms = chosen.sum(axis=(1, 2))
    total = np.where(chosen, squares, 0.0).sum(axis=(1, 2))
    return np.sqrt(np.divide(total, atoms, out=np.full(len(total), np.nan), where=atoms > 0))


def chi_matches(types: Array, reference: Array, generated: Array, residues: Array) -> dict[str, Count]:
    """Count the residues whose chi1, and chi1 and chi2, lie within 40 degrees of the reference.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    reference, generated : numpy.ndarray, shape (F, L, 7)
        From `latcpb_cli.metrics.torsions.torsions`.
    residues : numpy.ndarray of bool, shape (F, L)
        Residues that count.

    Returns
    -------
    dict of str to Count
        ``chi1`` among residues that have one, ``chi1_chi2`` among residues
        that have both. Asp, Phe and Tyr chi2 repeat after half a turn.
    """
    two = slice(_CHI1, _CHI1 + 2)
    gap = angle_difference(reference[..., two], generated[..., two], chi_periods()[types, :2])
    known = np.isfinite(gap) & chi_mask()[types, :2] & residues[..., None]
    near = gap <= CHI_TOLERANCE
    return {
        "chi1": count_where(near[..., 0], known[..., 0]),
        "chi1_chi2": count_where(near.all(axis=-1), known.all(axis=-1)),
    }


def cis_kept(reference: Array, generated: Array, residues: Array) -> Count:
    """Count the cis peptides of the reference that are cis in the generated frames too.

    Torsions are (F, L, 7), ``residues`` is bool (F, L); a peptide belongs to
    its second residue.
    """
    return count_where(is_cis(generated[..., _OMEGA]), is_cis(reference[..., _OMEGA]) & residues)
