"""Which atom of each residue is its Cα bead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from latcpb_cli.chem.residue_names import NOT_PROTEIN, standard_name
from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.atoms import AtomTable

__all__ = ["BeadAtoms", "check_every_residue", "choose_bead_atoms", "count_names"]

_CALCIUM = ("CA", "CAL", "CA2", "CA2+")
"""Residue names of calcium ions, whose atom is also called CA."""
_BEAD_NAMES = (("CA",), ("CALPHA", "CALPH", "CALP", "C_A", "C-A"), ("BB",))
"""Atom names of the bead of a residue, in order of preference; long ones also as files truncate them."""
_MAX_LISTED = 8
"""Names that a message lists; further ones are only counted."""


@dataclass(frozen=True, eq=False)
class BeadAtoms:
    """Atoms that may be Cα beads.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (M,)
        Rows of the atom table.
    by_name : bool
        Whether they are beads because of their common name CA, CAlpha or BB;
        otherwise nearly any particle may be among them.
    """

    rows: Int64[np.ndarray, "M"]
    by_name: bool


def choose_bead_atoms(table: AtomTable, path: Path, bead: str | None) -> BeadAtoms:
    """Choose the atoms named CA; else those named CAlpha or BB; else the only atom of each residue.

    Parameters
    ----------
    table : AtomTable
        With one location of each atom.
    path : pathlib.Path
        For messages.
    bead : str or None
        Name of the atoms to choose instead.

    Raises
    ------
    InputError
        There is no such atom.
    """
    names = np.char.upper(table.names)
    if bead is not None:
        rows = np.flatnonzero(names == bead.upper())
        if not len(rows):
            raise InputError(
                f"{path}: no atom is named {bead}; atoms are named {count_names(table.names.tolist())}",
                "give --bead one of these names",
            )
        return BeadAtoms(rows, by_name=False)
    ions = np.isin(np.char.upper(table.resnames), _CALCIUM)
    for candidates in _BEAD_NAMES:
        rows = np.flatnonzero(np.isin(names, candidates) & ~ions)
        if len(rows):
            return BeadAtoms(rows, by_name=True)
    return BeadAtoms(_only_atoms(table, path), by_name=False)


def _only_atoms(table: AtomTable, path: Path) -> Int64[np.ndarray, "M"]:
    """Return the atoms that are alone in their residue."""
    residue = table.residue_index()
    if len(table) and (residue[-1] + 1 == len(table) or len(set(table.names.tolist())) == 1):
        return np.arange(len(table))
    single = np.bincount(residue, minlength=1) == 1 if len(table) else np.zeros(0, dtype=bool)
    rows = np.flatnonzero(single[residue]) if len(table) else np.zeros(0, dtype=np.int64)
    if not any(standard_name(name) for name in set(table.resnames[rows].tolist())):
        known = _is_amino_acid(table)
        listed = count_names(table.names[known if known.any() else slice(None)].tolist())
        raise InputError(
            f"{path}: no Cα beads (atoms named CA, or one atom per residue); atoms are named {listed}",
            "name the beads at the Cα with --bead NAME; leave other particles out with --selection",
        )
    return rows


def check_every_residue(table: AtomTable, atoms: BeadAtoms, path: Path) -> None:
    """Raise where residues of known amino acids have no bead.

    Parameters
    ----------
    table : AtomTable
    atoms : BeadAtoms
        The beads of the table.
    path : pathlib.Path
        For the message.

    Raises
    ------
    InputError
        It lists the names of the atoms in these residues.
    """
    residue = table.residue_index()
    known = _is_amino_acid(table)
    has_bead = np.zeros(residue[-1] + 1, dtype=bool)
    has_bead[residue[atoms.rows]] = True
    # The second of two alternative residues at one site does not count as a residue.
    bare = known & ~has_bead[residue] & (table.altlocs == "")
    if not bare.any():
        return
    first = np.unique(residue[bare], return_index=True)[1]
    n_known = len(np.unique(residue[known]))
    common = _common_names(table, residue, known, n_known)
    choice = f"--bead {common[0]}" if common else "--bead NAME"
    raise InputError(
        f"{path}: {len(first)} of {n_known} residues of amino acids have no Cα bead: "
        f"{count_names(table.resnames[bare][first].tolist())}; atoms are named "
        f"{count_names(table.names[known].tolist())}",
        f"name the atoms at the Cα with {choice}, or leave these residues out with --on-unknown skip",
    )


def _is_amino_acid(table: AtomTable) -> Bool[np.ndarray, "N"]:
    """Mark the atoms of residues with the name of an amino acid of more than one letter."""
    names = {
        name
        for name in set(table.resnames.tolist())
        if len(name) > 1 and name.upper() not in NOT_PROTEIN and standard_name(name) is not None
    }
    return np.isin(table.resnames, list(names))


def _common_names(
    table: AtomTable, residue: Int64[np.ndarray, "N"], known: Bool[np.ndarray, "N"], n_known: int
) -> list[str]:
    """List the atom names that every residue of a known amino acid has once."""
    counts = Counter(table.names[known].tolist())
    every = [name for name, count in counts.items() if count == n_known]
    return [name for name in every if len(np.unique(residue[known & (table.names == name)])) == n_known]


def count_names(names: Iterable[str]) -> str:
    """List names with their counts, the most frequent ones only."""
    counts = Counter(names)
    listed = ", ".join(f"{name or '(blank)'} ({count})" for name, count in counts.most_common(_MAX_LISTED))
    more = f" and {len(counts) - _MAX_LISTED} more names" if len(counts) > _MAX_LISTED else ""
    return listed + more
