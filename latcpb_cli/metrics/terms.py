"""All bonds and bond angles of a system with their reference values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.bonds import intra_angles, intra_bonds
from latcpb_cli.chem.reference import peptide_reference, reference_angle, reference_length
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, O_SLOT, PRO, slot_of
from latcpb_cli.geometry.links import next_rows

__all__ = ["GeometryTerms", "angle_terms", "bond_terms"]

_PRO_CD_SLOT = slot_of("PRO", "CD")

Array = np.ndarray
_Row = tuple[tuple[int, ...], tuple[int, ...], float, int]
"""Residues, slots, reference and link of a term, as in `GeometryTerms`."""


@dataclass(frozen=True, eq=False)
class GeometryTerms:
    """T bonds (k = 2) or bond angles (k = 3).

    Attributes
    ----------
    residues, slots : numpy.ndarray of int64, shape (T, k)
        The atoms of each term.
    reference : numpy.ndarray of float64, shape (T,)
        Å or radians.
    link : numpy.ndarray of int64, shape (T,)
        i for a term across the peptide from residue i to the next, -1 for a
        term inside a residue.
    """

    residues: Int[Array, "T k"]
    slots: Int[Array, "T k"]
    reference: Float[Array, "T"]
    link: Int[Array, "T"]

    def points(self, atoms: Float[Array, "F L W 3"]) -> Float[Array, "F T k 3"]:
        """Return the positions of the atoms of each term."""
        return np.asarray(atoms[:, self.residues, self.slots].astype(np.float64))

    def mask(self, linked: Bool[Array, "F L"]) -> Bool[Array, "F T"]:
        """Return which terms exist in each frame, given where a peptide joins each residue to the next."""
        return np.asarray((self.link < 0) | linked[:, np.maximum(self.link, 0)])


def bond_terms(
    types: Int[Array, "L"], present: Bool[Array, "L W"], next_residue: Int[Array, "L"] | None = None
) -> GeometryTerms:
    """List the bonds between the atoms that are present, those of peptides included.

    ``next_residue`` is the row of the next residue of each, in a system with rings.
    """
    lengths, peptide = reference_length(), peptide_reference()
    rows: list[_Row] = []
    following = next_rows(next_residue, len(types)).tolist()
    for i, residue_type in enumerate(types):
        bonds = intra_bonds()[residue_type]
        rows += [((i, i), (a, b), float(lengths[residue_type, a, b]), -1) for a, b in bonds]
        if (after := following[i]) != i:
            key = "PRO C-N" if types[after] == PRO else "C-N"
            rows.append(((i, after), (C_SLOT, N_SLOT), peptide[key], i))
    return _terms(rows, present, 2)


def angle_terms(
    types: Int[Array, "L"], present: Bool[Array, "L W"], next_residue: Int[Array, "L"] | None = None
) -> GeometryTerms:
    """List the bond angles between the atoms that are present, those across peptides included.

    ``next_residue`` is the row of the next residue of each, in a system with rings.
    """
    angles = reference_angle()
    rows: list[_Row] = []
    following = next_rows(next_residue, len(types)).tolist()
    for i, residue_type in enumerate(types):
        triples = intra_angles()[residue_type]
        rows += [((i, i, i), abc, float(angles[residue_type][abc]), -1) for abc in triples]
        if (after := following[i]) != i:
            rows += _peptide_angles(i, after, bool(types[after] == PRO))
    return _terms(rows, present, 3)


def _peptide_angles(i: int, after: int, before_proline: bool) -> list[_Row]:
    """Angles across the peptide from residue i to the one after it."""
    peptide, prefix = peptide_reference(), "PRO " if before_proline else ""
    rows: list[_Row] = [
        ((i, i, after), (CA_SLOT, C_SLOT, N_SLOT), peptide[f"{prefix}CA-C-N"], i),
        ((i, i, after), (O_SLOT, C_SLOT, N_SLOT), peptide[f"{prefix}O-C-N"], i),
        ((i, after, after), (C_SLOT, N_SLOT, CA_SLOT), peptide[f"{prefix}C-N-CA"], i),
    ]
    if before_proline:
        rows.append(((i, after, after), (C_SLOT, N_SLOT, _PRO_CD_SLOT), peptide["PRO C-N-CD"], i))
    return rows


def _terms(rows: list[_Row], present: Bool[Array, "L W"], size: int) -> GeometryTerms:
    """Keep the rows whose ``size`` atoms are all present."""
    residues = np.array([row[0] for row in rows], dtype=np.int64).reshape(-1, size)
    slots = np.array([row[1] for row in rows], dtype=np.int64).reshape(-1, size)
    kept = present[residues, slots].all(axis=1)
    reference = np.array([row[2] for row in rows], dtype=np.float64)[kept]
    link = np.array([row[3] for row in rows], dtype=np.int64)[kept]
    return GeometryTerms(residues[kept], slots[kept], reference, link)
