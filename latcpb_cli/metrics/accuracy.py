"""Deviation of generated atoms and torsions from the reference."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residues import BACKBONE_SLOTS, CB_SLOT, N_SLOTS, OXT_SLOT, PRO, swap_slots
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.geometry.angles import angle_difference
from latcpb_cli.geometry.links import next_rows
from latcpb_cli.metrics.count import Check
from latcpb_cli.metrics.stereo import is_cis
from latcpb_cli.metrics.torsions import TORSION_NAMES, chi_periods

__all__ = [
    "ATOM_SETS",
    "CHI_TOLERANCE",
    "chi_checks",
    "cis_check",
    "inner_residues",
    "rmsd",
    "squared_deviation",
]

CHI_TOLERANCE = float(np.radians(40.0))
"""Largest deviation (rad) of a chi angle that counts as a match."""
_BACKBONE = np.isin(np.arange(N_SLOTS), BACKBONE_SLOTS)
_SIDE_CHAIN = (np.arange(N_SLOTS) >= CB_SLOT) & (np.arange(N_SLOTS) != OXT_SLOT)
ATOM_SETS = {"all_heavy": np.ones(N_SLOTS, dtype=bool), "backbone": _BACKBONE, "side_chain": _SIDE_CHAIN}
"""Slots of each set of atoms: all heavy atoms with CA, the backbone atoms N, C and O, the side chain."""
_CHI1 = TORSION_NAMES.index("chi1")
_OMEGA = TORSION_NAMES.index("omega")

Array = np.ndarray


def inner_residues(
    linked: Bool[Array, "F L"], next_residue: Int[Array, "L"] | None = None
) -> Bool[Array, "F L"]:
    """Return the residues with a peptide on both sides.

    ``linked`` is true where a peptide joins a residue to the next, ``next_residue`` the row of the next in a
    system with rings.
    """
    inner = linked.copy()
    inner[:, next_rows(next_residue, linked.shape[1])] &= linked
    return inner


def squared_deviation(
    types: Int[Array, "L"],
    first: Float[Array, "F L 15 3"],
    second: Float[Array, "F L 15 3"],
    present: Bool[Array, "L 15"],
) -> Float[Array, "F L 15"]:
    """Return the squared distances between equal atoms, with symmetric groups in their better orientation.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    first, second : numpy.ndarray, shape (F, L, 15, 3)
        In Å, without superposition.
    present : numpy.ndarray of bool, shape (L, 15)
        Atoms that both structures have.

    Returns
    -------
    numpy.ndarray of float64, shape (F, L, 15)
        In Å², 0 for atoms that are not present.
    """
    squares = _squares(first, second, present)
    slots = swap_slots()
    symmetric = (slots != np.arange(N_SLOTS)).any(axis=1)
    swapped_present = np.take_along_axis(present, slots[types], axis=1)
    rows = np.flatnonzero(symmetric[types] & (swapped_present == present).all(axis=1))
    if len(rows):
        swapped = second[:, rows[:, None], slots[types[rows]]]
        other = _squares(first[:, rows], swapped, present[rows])
        better = other.sum(axis=-1) < squares[:, rows].sum(axis=-1)
        squares[:, rows] = np.where(better[..., None], other, squares[:, rows])
    return squares


def _squares(
    first: Float[Array, "F R 15 3"], second: Float[Array, "F R 15 3"], present: Bool[Array, "R 15"]
) -> Float[Array, "F R 15"]:
    step = first.astype(np.float64) - second
    return np.where(present, np.einsum("flak,flak->fla", step, step), 0.0)


def rmsd(
    squares: Float[Array, "F L 15"],
    present: Bool[Array, "L 15"],
    residues: Bool[Array, "F L"],
    slots: Bool[Array, "15"],
) -> Float[Array, "F"]:
    """Return the root mean square deviation of each frame over a choice of atoms.

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
    mean = np.divide(total, atoms, out=np.full(len(total), np.nan), where=atoms > 0)
    return np.asarray(np.sqrt(mean))


def chi_checks(
    types: Int[Array, "L"], reference: Float[Array, "F L 7"], generated: Float[Array, "F L 7"]
) -> dict[str, Check]:
    """Check whether chi1, and chi1 and chi2, lie within 40 degrees of the reference.

    Prolines are left out, as is usual: their ring keeps chi1 within about 40
    degrees of zero.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    reference, generated : numpy.ndarray, shape (F, L, 7)
        From `latcpb_cli.metrics.torsions.measure_torsions`.

    Returns
    -------
    dict of str to Check
        ``chi1`` of residues that have one, ``chi1_chi2`` of residues that have
        both. Chi2 of Asp, Phe and Tyr repeats after half a turn.
    """
    first_two = slice(_CHI1, _CHI1 + 2)
    difference = angle_difference(
        reference[..., first_two], generated[..., first_two], chi_periods()[types, :2]
    )
    has_chi = chi_mask()[types, :2] & (types != PRO)[:, None]
    mask = np.isfinite(difference) & has_chi
    match = difference <= CHI_TOLERANCE
    return {
        "chi1": Check(match[..., 0], mask[..., 0]),
        "chi1_chi2": Check(np.all(match, axis=-1), np.all(mask, axis=-1)),
    }


def cis_check(reference: Float[Array, "F L 7"], generated: Float[Array, "F L 7"]) -> Check:
    """Check whether the cis peptides of the reference are cis in the generated frames too.

    The case of a peptide is its second residue; torsions are from
    `latcpb_cli.metrics.torsions.measure_torsions`.
    """
    return Check(is_cis(generated[..., _OMEGA]), is_cis(reference[..., _OMEGA]))
