"""Which atoms are the Cα beads, and which residues they stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.chem.naming import residue_name
from latcpb_cli.chem.residue_names import NOT_PROTEIN, PARENTS, standard_name, variant_name
from latcpb_cli.chem.residues import LETTERS, NAMES
from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.fasta import match_sequence
from latcpb_cli.options import UnknownResidues

__all__ = ["Beads", "find_beads"]

_CALCIUM = ("CA", "CAL", "CA2", "CA2+")
"""Residue names of calcium ions, whose atom is called CA too."""
_NAMES = (("CA",), ("CALPHA", "CALPH", "CALP", "C_A", "C-A"), ("BB",))
"""Atom names of the bead where a residue has more than one, the best first; long ones as files cut them."""
_NUCLEOTIDES = set("ACGUTIN")
_SHOWN = 8
"""Names listed in a message before it says how many more there are."""


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
        Residues that are modified, or protonated in a known way; "" for the others.
    left_out : dict of str to int
        Residues without a bead, counted by residue name.
    renamed : dict of (str, str) to int
        Residues that were read under another name, as (given, standard).
    record : numpy.ndarray of int64, shape (L,)
        Chain in the sequences that the user gave; zeros without any.
    name : str
        Atom name of the beads, "" where they have none in common.
    """

    rows: np.ndarray
    sequence: str
    variants: np.ndarray
    left_out: dict[str, int]
    renamed: dict[tuple[str, str], int]
    record: np.ndarray
    name: str


def find_beads(
    table: AtomTable, path: Path, *, sequences: list[str] | None = None, on_unknown: UnknownResidues = "error"
) -> Beads:
    """Find the bead of each residue and the amino acid it stands for.

    Beads are the atoms named CA; else those named CAlpha or BB; else the only
    atom of each residue. Water, ions, lipids, nucleotides and ligands are left
    out.

    Parameters
    ----------
    table : AtomTable
    path : pathlib.Path
        For messages.
    sequences : list of str or None
        Chains that replace the residue names of the file.
    on_unknown : {'error', 'skip', 'nearest'}
        What is done with beads of residues that are neither amino acids nor
        known to be something else.

    Returns
    -------
    Beads

    Raises
    ------
    InputError
        If there is no bead, or a bead of a residue that is not known.
    """
    rows, alone = _bead_rows(table, path)
    names = np.char.upper(table.resnames[rows])
    record = np.zeros(len(rows), dtype=np.int64)
    if sequences is not None:
        sequence, record = match_sequence(sequences, len(rows), path)
        standard: list[str] = [NAMES[LETTERS.index(letter)] for letter in sequence]
    else:
        known = _standard_names(table, rows, names, alone, on_unknown)
        _refuse_unknown(names, known, path, on_unknown)
        kept = np.array([bool(name) for name in known])
        if not kept.any():
            raise InputError(f"{path}: no amino acid in it, only {_listed(names)}", "give a protein")
        rows, names, record = rows[kept], names[kept], record[kept]
        standard = [name for name in known if name]
    variants = [variant_name(name) if sequences is None else "" for name in names.tolist()]
    called = [residue_name(v or name, "pdb") for v, name in zip(variants, standard, strict=True)]
    renamed = Counter(pair for pair in zip(names.tolist(), called, strict=True) if pair[0] != pair[1])
    bead_names = set(table.names[rows].tolist())
    return Beads(
        rows=rows,
        sequence="".join(LETTERS[NAMES.index(name)] for name in standard),
        variants=np.array(variants, dtype="U4"),
        left_out=_left_out(table, rows),
        renamed={} if sequences is not None else dict(renamed.most_common()),
        record=record,
        name=bead_names.pop() if len(bead_names) == 1 else "",
    )


def _bead_rows(table: AtomTable, path: Path) -> tuple[np.ndarray, bool]:
    """Rows of the beads, and whether they were found as the only atom of their residue."""
    names = np.char.upper(table.names)
    ions = np.isin(np.char.upper(table.resnames), _CALCIUM)
    for candidates in _NAMES:
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


def _without_alternates(table: AtomTable, rows: np.ndarray) -> np.ndarray:
    """Keep the first alternate location of each atom."""
    again = np.zeros(len(rows), dtype=bool)
    if len(rows):
        before, after = rows[:-1], rows[1:]
        again[1:] = (table.altlocs[before] != "") & (table.altlocs[after] != "")
        for column in (table.chain_ids, table.resids, table.icodes):
            again[1:] &= column[before] == column[after]
    return rows[~again]


def _standard_names(
    table: AtomTable, rows: np.ndarray, names: np.ndarray, alone: bool, on_unknown: UnknownResidues
) -> list[str | None]:
    """Name of the amino acid of each bead; "" for what is left out, None for what is not known."""
    meaning: dict[str, str | None] = {}
    for name in set(names.tolist()):
        meaning[name] = "" if name in NOT_PROTEIN else standard_name(name)
        if meaning[name] is None and on_unknown == "nearest":
            meaning[name] = PARENTS.get(name)
        elif meaning[name] is None and on_unknown == "skip":
            meaning[name] = ""
    if alone and any(found and len(name) > 1 for name, found in meaning.items()):
        # Beside three-letter names K is an ion, W water and A a nucleotide.
        meaning = {name: found if len(name) > 1 else "" for name, found in meaning.items()}
    known = [meaning[name] for name in names.tolist()]
    if alone and "U" in meaning:
        _drop_rna(table.take(rows), names, known)
    return known


def _drop_rna(beads: AtomTable, names: np.ndarray, known: list[str | None]) -> None:
    """Leave out the chains of one-letter names that hold a U and nothing but bases (in place)."""
    ends = (beads.chain_ids[1:] != beads.chain_ids[:-1]) | (beads.parts[1:] != beads.parts[:-1])
    bounds = [0, *(np.flatnonzero(ends) + 1).tolist(), len(beads)]
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        letters = set(names[start:stop].tolist())
        if "U" in letters and letters <= _NUCLEOTIDES:
            known[start:stop] = [""] * (stop - start)


def _left_out(table: AtomTable, rows: np.ndarray) -> dict[str, int]:
    """Count the residues without a bead by name."""
    residue = table.residue_index()
    has_bead = np.zeros(residue[-1] + 1, dtype=bool)
    has_bead[residue[rows]] = True
    first = np.unique(residue, return_index=True)[1]
    # The second of two alternative residues at one site is no residue of its own.
    skipped = first[~has_bead & (table.altlocs[first] == "")]
    return dict(Counter(table.resnames[skipped].tolist()).most_common())


def _refuse_unknown(
    names: np.ndarray, known: list[str | None], path: Path, on_unknown: UnknownResidues
) -> None:
    unknown = [name for name, found in zip(names.tolist(), known, strict=True) if found is None]
    if not unknown:
        return
    if all(not name or name.isdecimal() or (len(name) == 1) for name in unknown):
        raise InputError(
            f"{path}: residue names that say nothing: {_listed(unknown)}",
            "give the sequences of its chains with --sequence FASTA",
        )
    listed = " ".join(name for name in sorted(set(unknown)) if name)
    nearest = ", or read them as their nearest relative with --on-unknown nearest"
    raise InputError(
        f"{path}: Cα beads of residues that are not known: {_listed(unknown)}",
        f"leave them out, for instance with --selection 'not resname {listed}'"
        + (nearest if on_unknown != "nearest" and set(unknown) <= set(PARENTS) else ", or rename them"),
    )


def _listed(names: Iterable[str]) -> str:
    counts = Counter(names)
    shown = ", ".join(f"{name or '(blank)'} ({count})" for name, count in counts.most_common(_SHOWN))
    more = f" and {len(counts) - _SHOWN} more names" if len(counts) > _SHOWN else ""
    return shown + more
