"""Which atoms are the Cα beads, and which amino acids they represent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64, Shaped

from latcpb_cli.chem.naming import residue_name
from latcpb_cli.chem.residue_names import NOT_PROTEIN, PARENTS, standard_name, variant_name
from latcpb_cli.chem.residues import LETTERS, NAMES
from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.fasta import match_sequence
from latcpb_cli.options import UnknownResidues

__all__ = ["Beads", "identify_beads"]

_CALCIUM = ("CA", "CAL", "CA2", "CA2+")
"""Residue names of calcium ions, whose atom is also called CA."""
_BEAD_NAMES = (("CA",), ("CALPHA", "CALPH", "CALP", "C_A", "C-A"), ("BB",))
"""Atom names of the bead of a residue, in order of preference; long ones also as files truncate them."""
_NUCLEOTIDES = set("ACGUTIN")
_MAX_LISTED = 8
"""Names that a message lists; further ones are only counted."""


@dataclass(frozen=True, eq=False)
class Beads:
    """The Cα beads of a structure.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (L,)
        Rows of the atom table.
    sequence : str
        One letter per bead.
    variants : numpy.ndarray of str, shape (L,)
        Names of residues that are modified or in a known state of protonation; "" for the others.
    left_out : dict of str to int
        Residues without a bead, counted by residue name.
    renamed : dict of (str, str) to int
        Residues that were read under another name, as (given, standard).
    record_index : numpy.ndarray of int64, shape (L,)
        Number of the user's sequence that each bead belongs to; zeros without any.
    name : str
        Atom name of the beads, "" where they have none in common.
    """

    rows: Int64[np.ndarray, "L"]
    sequence: str
    variants: Shaped[np.ndarray, "L"]
    left_out: dict[str, int]
    renamed: dict[tuple[str, str], int]
    record_index: Int64[np.ndarray, "L"]
    name: str

    def select(self, mask: Bool[np.ndarray, "L"]) -> Beads:
        """Return the beads in a mask; what was left out and renamed is not counted again."""
        return replace(
            self,
            rows=self.rows[mask],
            sequence="".join(np.array(list(self.sequence))[mask]),
            variants=self.variants[mask],
            record_index=self.record_index[mask],
        )


def identify_beads(
    table: AtomTable, path: Path, sequences: list[str] | None = None, on_unknown: UnknownResidues = "error"
) -> Beads:
    """Find the bead of each residue and the amino acid that it represents.

    Beads are the atoms named CA; else those named CAlpha or BB; else the only
    atom of each residue. Water, ions, lipids, nucleotides and ligands are left
    out.

    Parameters
    ----------
    table : AtomTable
    path : pathlib.Path
        For messages.
    sequences : list of str or None
        One per chain; they replace the residue names of the file.
    on_unknown : {'error', 'skip', 'nearest'}
        What is done with beads whose residue names are unknown: they are
        neither an amino acid nor water, an ion, a lipid, a nucleotide, ...

    Returns
    -------
    Beads

    Raises
    ------
    InputError
        If there is no bead, or a bead of an unknown residue.
    """
    rows, is_only_atom = _bead_rows(table, path)
    names = np.char.upper(table.resnames[rows])
    record_index = np.zeros(len(rows), dtype=np.int64)
    if sequences is not None:
        sequence, record_index = match_sequence(sequences, len(rows), path)
        standard: list[str] = [NAMES[LETTERS.index(letter)] for letter in sequence]
    else:
        amino_acids = _standard_names(table.select(rows), names, is_only_atom, on_unknown)
        _check_unknown(names, amino_acids, path, on_unknown)
        kept = np.array([bool(name) for name in amino_acids])
        if not kept.any():
            raise InputError(f"{path}: no amino acid in it, only {_count_names(names)}", "give a protein")
        rows, names, record_index = rows[kept], names[kept], record_index[kept]
        standard = [name for name in amino_acids if name]
    variants = [variant_name(name) if sequences is None else "" for name in names.tolist()]
    written = [residue_name(v or name, "pdb") for v, name in zip(variants, standard, strict=True)]
    renamed = Counter(pair for pair in zip(names.tolist(), written, strict=True) if pair[0] != pair[1])
    bead_names = set(table.names[rows].tolist())
    return Beads(
        rows=rows,
        sequence="".join(LETTERS[NAMES.index(name)] for name in standard),
        variants=np.array(variants, dtype="U4"),
        left_out=_left_out(table, rows),
        renamed={} if sequences is not None else dict(renamed.most_common()),
        record_index=record_index,
        name=bead_names.pop() if len(bead_names) == 1 else "",
    )


def _bead_rows(table: AtomTable, path: Path) -> tuple[Int64[np.ndarray, "L"], bool]:
    """Return the rows of the beads, and whether they are beads because they are alone in their residue."""
    names = np.char.upper(table.names)
    ions = np.isin(np.char.upper(table.resnames), _CALCIUM)
    for candidates in _BEAD_NAMES:
        rows = _without_alternates(table, np.flatnonzero(np.isin(names, candidates) & ~ions))
        if len(rows):
            return rows, False
    residue = table.residue_index()
    if len(table) and (residue[-1] + 1 == len(table) or len(set(table.names.tolist())) == 1):
        return np.arange(len(table)), True
    single = np.bincount(residue, minlength=1) == 1 if len(table) else np.zeros(0, dtype=bool)
    rows = np.flatnonzero(single[residue]) if len(table) else np.zeros(0, dtype=np.int64)
    if not any(standard_name(name) for name in set(table.resnames[rows].tolist())):
        raise InputError(
            f"{path}: no Cα beads (atoms named CA, or one atom per residue)",
            "latcpb reads Cα models; leave other particles out with --selection",
        )
    return rows, True


def _without_alternates(table: AtomTable, rows: Int64[np.ndarray, "M"]) -> Int64[np.ndarray, "L"]:
    """Keep the first alternate location of each atom."""
    repeated = np.zeros(len(rows), dtype=bool)
    if len(rows):
        before, after = rows[:-1], rows[1:]
        repeated[1:] = (table.altlocs[before] != "") & (table.altlocs[after] != "")
        for column in (table.chain_ids, table.resids, table.icodes):
            repeated[1:] &= column[before] == column[after]
    return rows[~repeated]


def _standard_names(
    beads: AtomTable, names: Shaped[np.ndarray, "L"], is_only_atom: bool, on_unknown: UnknownResidues
) -> list[str | None]:
    """Return the name of the amino acid of each bead; "" for what is left out, None for what is unknown."""
    meaning: dict[str, str | None] = {}
    for name in set(names.tolist()):
        meaning[name] = "" if name in NOT_PROTEIN else standard_name(name)
        if meaning[name] is None and on_unknown == "nearest":
            meaning[name] = PARENTS.get(name)
        elif meaning[name] is None and on_unknown == "skip":
            meaning[name] = ""
    if is_only_atom and any(amino_acid and len(name) > 1 for name, amino_acid in meaning.items()):
        # In a file with three-letter names, K is an ion, W water and A a nucleotide.
        meaning = {name: amino_acid if len(name) > 1 else "" for name, amino_acid in meaning.items()}
    amino_acids = [meaning[name] for name in names.tolist()]
    if is_only_atom and "U" in meaning:
        _drop_rna(beads, names, amino_acids)
    return amino_acids


def _drop_rna(beads: AtomTable, names: Shaped[np.ndarray, "L"], amino_acids: list[str | None]) -> None:
    """Leave out the chains of one-letter names that hold a U and nothing but bases (in place)."""
    bounds = [0, *(np.flatnonzero(beads.chain_changes()) + 1).tolist(), len(beads)]
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        letters = set(names[start:stop].tolist())
        if "U" in letters and letters <= _NUCLEOTIDES:
            amino_acids[start:stop] = [""] * (stop - start)


def _left_out(table: AtomTable, rows: Int64[np.ndarray, "L"]) -> dict[str, int]:
    """Count the residues without a bead by name."""
    residue = table.residue_index()
    has_bead = np.zeros(residue[-1] + 1, dtype=bool)
    has_bead[residue[rows]] = True
    first = np.unique(residue, return_index=True)[1]
    # The second of two alternative residues at one site does not count as a residue.
    skipped = first[~has_bead & (table.altlocs[first] == "")]
    return dict(Counter(table.resnames[skipped].tolist()).most_common())


def _check_unknown(
    names: Shaped[np.ndarray, "L"], amino_acids: list[str | None], path: Path, on_unknown: UnknownResidues
) -> None:
    """Raise where the residues of some beads are unknown."""
    pairs = zip(names.tolist(), amino_acids, strict=True)
    unknown = [name for name, amino_acid in pairs if amino_acid is None]
    if not unknown:
        return
    if all(not name or name.isdecimal() or (len(name) == 1) for name in unknown):
        raise InputError(
            f"{path}: residue names that mean no amino acid: {_count_names(unknown)}",
            "give the sequences of its chains with --sequence FASTA",
        )
    listed = " ".join(name for name in sorted(set(unknown)) if name)
    nearest = ", or read them as their nearest relative with --on-unknown nearest"
    raise InputError(
        f"{path}: Cα beads of residues that are not known: {_count_names(unknown)}",
        f"leave them out, for instance with --selection 'not resname {listed}'"
        + (nearest if on_unknown != "nearest" and set(unknown) <= set(PARENTS) else ", or rename them"),
    )


def _count_names(names: Iterable[str]) -> str:
    """List names with their counts, the most frequent ones only."""
    counts = Counter(names)
    listed = ", ".join(f"{name or '(blank)'} ({count})" for name, count in counts.most_common(_MAX_LISTED))
    more = f" and {len(counts) - _MAX_LISTED} more names" if len(counts) > _MAX_LISTED else ""
    return listed + more
