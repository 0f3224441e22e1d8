"""The atoms N, C, O and CB of an input beside its Cα beads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int64

from latcpb_cli.chem.residues import C_SLOT, CB_SLOT, GIVEN_SLOTS, N_SLOT, O_SLOT
from latcpb_cli.errors import InputError
from latcpb_cli.io.atom_slots import TERMINAL_NAMES
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.structure import CGTrace

__all__ = [
    "BACKBONE_OFFER", "describe_unbonded", "drop_unbonded", "find_backbone", "has_backbone",
    "require_backbone",
]  # fmt: skip

BACKBONE_OFFER = "N and C of all residues are there, too: --keep-backbone keeps them, and builds the rest"
"""The note on an input whose backbone could be kept."""

_NAMES = {
    N_SLOT: ("N",),
    C_SLOT: ("C",),
    O_SLOT: ("O", *(name for name, standard in TERMINAL_NAMES.items() if standard == "O")),
    CB_SLOT: ("CB",),
}
"""Atom names, the first that a residue has counts."""
_N, _C, _O, _CB = (GIVEN_SLOTS.index(slot) for slot in (N_SLOT, C_SLOT, O_SLOT, CB_SLOT))
_MIN_BOND, _MAX_BOND = 0.9, 2.2
"""Å; a distance outside is no bond, however distorted a backbone is."""
_MIN_N_C, _MAX_N_C = 1.5, 3.5
"""Å between N and C of a residue: N-CA-C is neither folded nor straight, so that CB has a direction."""


def find_backbone(table: AtomTable, beads: Int64[np.ndarray, "L"], sequence: str) -> Int64[np.ndarray, "L 4"]:
    """Find the atoms of `GIVEN_SLOTS` in the residue of each bead.

    Parameters
    ----------
    table : AtomTable
        With one location of each atom.
    beads : numpy.ndarray of int64, shape (L,)
        Rows of the beads.
    sequence : str
        One letter per bead; glycine has no CB.

    Returns
    -------
    numpy.ndarray of int64, shape (L, 4)
        Rows; -1 where a residue has no such atom, or several beads.
    """
    residue, rows = table.residue_index(), np.full((len(beads), len(GIVEN_SLOTS)), -1)
    if residue[-1] + 1 == len(table):  # beads alone
        return rows
    bead = np.full(residue[-1] + 1, -1)
    bead[residue[beads]] = np.arange(len(beads))
    bead[np.bincount(residue[beads], minlength=len(bead)) > 1] = -1
    members = np.flatnonzero(bead[residue] >= 0)
    names = np.char.upper(table.names[members])
    for column, slot in enumerate(GIVEN_SLOTS):
        for name in reversed(_NAMES[slot]):
            named = members[names == name][::-1]  # of several, the first stays
            rows[bead[residue[named]], column] = named
    rows[rows == beads[:, None]] = -1
    rows[np.array(list(sequence)) == "G", _CB] = -1
    return rows


def has_backbone(rows: Int64[np.ndarray, "L 4"]) -> bool:
    """Return whether all residues have N and C."""
    return bool((rows[:, [_N, _C]] >= 0).all())


def require_backbone(path: Path, trace: CGTrace, rows: Int64[np.ndarray, "L 4"] | None) -> str:
    """Return a note on the atoms that are kept.

    Parameters
    ----------
    path : pathlib.Path
        For the message.
    trace : CGTrace
    rows : numpy.ndarray of int64, shape (L, 4), or None
        See `find_backbone`.

    Raises
    ------
    InputError
        Residues have no N or no C.
    """
    if rows is None or (rows[:, [_N, _C]] < 0).all():
        raise InputError(f"{path}: no N and C beside the Cα", "leave out --keep-backbone")
    bare = np.flatnonzero((rows[:, [_N, _C]] < 0).any(axis=1))
    if len(bare):
        first = trace.labels[bare[0]]
        raise InputError(
            f"{path}: {len(bare)} of {len(rows)} residues have no N or no C, {first} first",
            "leave these residues out with --selection, or leave out --keep-backbone",
        )
    n_o, n_cb = (rows[:, [_O, _CB]] >= 0).sum(axis=0).tolist()
    return f"kept: N and C of {len(rows)} residues, O of {n_o}, CB of {n_cb}"


def drop_unbonded(
    backbone: Float[np.ndarray, "F L 4 3"],
    positions: Float[np.ndarray, "F L 3"],
    absent: Bool[np.ndarray, "F L"],
) -> tuple[Float[np.ndarray, "F L 4 3"], Bool[np.ndarray, "F L"]]:
    """Leave out what is no backbone of its bead.

    Parameters
    ----------
    backbone : numpy.ndarray of float32, shape (F, L, 4, 3)
        In Å; nan for atoms without a position.
    positions : numpy.ndarray, shape (F, L, 3)
        Beads, Å.
    absent : numpy.ndarray of bool, shape (F, L)
        Beads without a position.

    Returns
    -------
    backbone : numpy.ndarray of float32, shape (F, L, 4, 3)
        nan for an O or CB that is not bonded, for all atoms of a residue whose N or C is not, and for those
        of absent beads.
    unbonded : numpy.ndarray of bool, shape (F, L)
        Beads that are not absent, but whose N or C is not bonded.
    """
    n, c, o, cb = (backbone[:, :, column].astype(np.float64) for column in (_N, _C, _O, _CB))
    bonds = np.stack([n - positions, c - positions, o - c, cb - positions], axis=2)
    length = np.sqrt((bonds * bonds).sum(-1))
    bonded = (length > _MIN_BOND) & (length < _MAX_BOND)
    span = np.sqrt(((n - c) ** 2).sum(-1))
    open_angle = (span > _MIN_N_C) & (span < _MAX_N_C)
    is_backbone = bonded[..., _N] & bonded[..., _C] & open_angle & ~absent
    kept = np.where((bonded & is_backbone[..., None])[..., None], backbone, np.float32(np.nan))
    return kept, ~is_backbone & ~absent


def describe_unbonded(trace: CGTrace, unbonded: Bool[np.ndarray, "L"]) -> str:
    """Describe the residues of a frame whose N or C is not bonded to their bead; "" for none."""
    residues = np.flatnonzero(unbonded)
    if not len(residues):
        return ""
    where = f"residue {trace.labels[residues[0]]}"
    if len(residues) > 1:
        where = f"{len(residues)} residues from {trace.labels[residues[0]]} on"
    return f"{where}: N or C is not bonded to the Cα"
