"""Every bond and bond angle of a system with its reference value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latcpb_cli.chem.bonds import intra_angles, intra_bonds
from latcpb_cli.chem.reference import peptide_reference, reference_angle, reference_length
from latcpb_cli.chem.residues import ATOM_SLOTS, NAMES

__all__ = ["Terms", "angle_terms", "bond_terms"]

_N, _CA, _C, _O = 0, 1, 2, 3
_PRO = NAMES.index("PRO")
_PRO_CD = ATOM_SLOTS[_PRO].index("CD")

Array = np.ndarray
Row = tuple[tuple[int, ...], tuple[int, ...], float, int]


@dataclass(frozen=True, eq=False)
class Terms:
    """Bonds (k = 2) or angles (k = 3), T of them.

    Attributes
    ----------
    residues, slots : numpy.ndarray of int64, shape (T, k)
        The atoms.
    reference : numpy.ndarray of float64, shape (T,)
        Å or radians.
    link : numpy.ndarray of int64, shape (T,)
        For a term across the peptide of residues i and i+1 that i, else -1.
    """

    residues: Array
    slots: Array
    reference: Array
    link: Array

    def points(self, atoms: Array) -> Array:
        """Pick the atoms: (F, L, 15, 3) becomes (F, T, k, 3)."""
        return atoms[:, self.residues, self.slots].astype(np.float64)

    def exist(self, linked: Array) -> Array:
        """Which terms a frame has: ``linked`` (F, L) gives bool, shape (F, T)."""
        return (self.link < 0) | linked[:, np.maximum(self.link, 0)]


def bond_terms(types: Array, present: Array) -> Terms:
    """List the bonds between atoms that are there, peptide C-N included."""
    lengths, peptide = reference_length(), peptide_reference()
    rows: list[Row] = []
    for i, kind in enumerate(types):
        rows += [((i, i), (a, b), float(lengths[kind, a, b]), -1) for a, b in intra_bonds()[kind]]
        if i + 1 < len(types):
            key = "PRO C-N" if types[i + 1] == _PRO else "C-N"
            rows.append(((i, i + 1), (_C, _N), peptide[key], i))
    return _terms(rows, present, 2)


def angle_terms(types: Array, present: Array) -> Terms:
    """List the bond angles between atoms that are there, those across the peptide included."""
    angles = reference_angle()
    rows: list[Row] = []
    for i, kind in enumerate(types):
        rows += [((i, i, i), abc, float(angles[kind][abc]), -1) for abc in intra_angles()[kind]]
        if i + 1 < len(types):
            rows += _peptide_angles(i, bool(types[i + 1] == _PRO))
    return _terms(rows, present, 3)


def _peptide_angles(i: int, proline: bool) -> list[Row]:
    peptide, prefix = peptide_reference(), "PRO " if proline else ""
    rows: list[Row] = [
        ((i, i, i + 1), (_CA, _C, _N), peptide[f"{prefix}CA-C-N"], i),
        ((i, i, i + 1), (_O, _C, _N), peptide[f"{prefix}O-C-N"], i),
        ((i, i + 1, i + 1), (_C, _N, _CA), peptide[f"{prefix}C-N-CA"], i),
    ]
    if proline:
        rows.append(((i, i + 1, i + 1), (_C, _N, _PRO_CD), peptide["PRO C-N-CD"], i))
    return rows


def _terms(rows: list[Row], present: Array, size: int) -> Terms:
    residues = np.array([row[0] for row in rows], dtype=np.int64).reshape(-1, size)
    slots = np.array([row[1] for row in rows], dtype=np.int64).reshape(-1, size)
    there = present[residues, slots].all(axis=1)
    reference = np.array([row[2] for row in rows], dtype=np.float64)[there]
    link = np.array([row[3] for row in rows], dtype=np.int64)[there]
    return Terms(residues[there], slots[there], reference, link)
