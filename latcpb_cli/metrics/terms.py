"""All bonds and bond angles of a system with their reference values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.bonds import intra_angles, intra_bonds
from latcpb_cli.chem.reference import peptide_reference, reference_angle, reference_length
from latcpb_cli.chem.residue_tables import join_tables
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, O_SLOT, PRO, slot_of
from latcpb_cli.geometry.links import next_rows

__all__ = ["GeometryTerms", "angle_terms", "bond_terms"]

Array = np.ndarray
_PeptideTerm = tuple[str, tuple[int, ...], tuple[bool, ...]]
"""A term across a peptide: name of its reference, slots, and which atoms belong to the next residue."""
_PEPTIDE_BONDS: tuple[_PeptideTerm, ...] = (("C-N", (C_SLOT, N_SLOT), (False, True)),)
_PEPTIDE_ANGLES: tuple[_PeptideTerm, ...] = (
    ("CA-C-N", (CA_SLOT, C_SLOT, N_SLOT), (False, False, True)),
    ("O-C-N", (O_SLOT, C_SLOT, N_SLOT), (False, False, True)),
    ("C-N-CA", (C_SLOT, N_SLOT, CA_SLOT), (False, True, True)),
)
_PROLINE_ANGLE: _PeptideTerm = ("C-N-CD", (C_SLOT, N_SLOT, slot_of("PRO", "CD")), (False, True, True))


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
    return _list_terms(_bond_tables(), types, present, next_residue)


def angle_terms(
    types: Int[Array, "L"], present: Bool[Array, "L W"], next_residue: Int[Array, "L"] | None = None
) -> GeometryTerms:
    """List the bond angles between the atoms that are present, those across peptides included.

    ``next_residue`` is the row of the next residue of each, in a system with rings.
    """
    return _list_terms(_angle_tables(), types, present, next_residue)


class _TermTables(NamedTuple):
    """Terms of each residue type: without a next residue, before another one, before proline.

    Attributes
    ----------
    rows : list of 60 numpy.ndarray of int64
        Rows of the other attributes: 3 tables for each residue type.
    slots : numpy.ndarray of int64, shape (R, k)
    is_next : numpy.ndarray of bool, shape (R, k)
        Which atoms belong to the next residue.
    is_link : numpy.ndarray of bool, shape (R,)
        Terms with such atoms.
    reference : numpy.ndarray of float64, shape (R,)
        Å or radians.
    """

    rows: list[Int[Array, "_"]]
    slots: Int[Array, "R k"]
    is_next: Bool[Array, "R k"]
    is_link: Bool[Array, "R"]
    reference: Float[Array, "R"]


@cache
def _bond_tables() -> _TermTables:
    """Tables of bonds."""
    return _term_tables(intra_bonds(), reference_length(), _PEPTIDE_BONDS, _PEPTIDE_BONDS)


@cache
def _angle_tables() -> _TermTables:
    """Tables of bond angles."""
    to_proline = (*_PEPTIDE_ANGLES, _PROLINE_ANGLE)
    return _term_tables(intra_angles(), reference_angle(), _PEPTIDE_ANGLES, to_proline)


def _term_tables(
    slots_by_type: Sequence[Sequence[tuple[int, ...]]],
    reference: Float[Array, "20 ..."],
    to_other: Sequence[_PeptideTerm],
    to_proline: Sequence[_PeptideTerm],
) -> _TermTables:
    """Make the tables from the terms inside residues, and those to a next residue."""
    size, peptide = reference.ndim - 1, peptide_reference()
    other = [(slots, is_next, peptide[name]) for name, slots, is_next in to_other]
    proline = [(slots, is_next, peptide[f"PRO {name}"]) for name, slots, is_next in to_proline]
    tables = []
    for table, slots_of_type in zip(reference, slots_by_type, strict=True):
        inside = [(slots, (False,) * size, table[slots]) for slots in slots_of_type]
        tables += [inside + terms for terms in ([], other, proline)]
    slots, is_next, values = map(np.array, zip(*chain.from_iterable(tables), strict=True))
    stops = np.cumsum([len(table) for table in tables])
    rows = np.split(np.arange(stops[-1]), stops[:-1])
    return _TermTables(rows, slots, is_next, np.asarray(is_next.any(axis=1)), values)


def _list_terms(
    tables: _TermTables,
    types: Int[Array, "L"],
    present: Bool[Array, "L W"],
    next_residue: Int[Array, "L"] | None,
) -> GeometryTerms:
    """List the terms whose atoms are all present: those inside each residue, then those to the next."""
    following = next_rows(next_residue, len(types))
    has_next = following != np.arange(len(types))
    table = 3 * types + np.where(has_next, np.where(types[following] == PRO, 2, 1), 0)
    residue, rows = join_tables(tables.rows, table)
    slots = tables.slots.take(rows, 0)
    residues = np.where(tables.is_next.take(rows, 0), following.take(residue)[:, None], residue[:, None])
    link = np.where(tables.is_link.take(rows), residue, -1)
    # Column by column, which is faster than rows of two or three.
    kept = np.logical_and.reduce([present[atom] for atom in zip(residues.T, slots.T, strict=True)])
    if not kept.all():
        rows, residues, slots, link = (x.compress(kept, 0) for x in (rows, residues, slots, link))
    return GeometryTerms(residues, slots, tables.reference.take(rows), link)
