"""Which atoms are the Cα beads, and which residues they stand for (layer 2)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import ALIASES, LETTERS, NAMES
from latcpb_cli.errors import InputError
from latcpb_cli.io.atoms import AtomTable

__all__ = ["Beads", "find_beads"]

_CALCIUM = ("CA", "CAL", "CA2", "CA2+")
"""Residue names of calcium ions, whose atom is called CA too."""
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
    left_out : dict of str to int
        Residues without a bead, counted by residue name.
    renamed : dict of (str, str) to int
        Residues that were read under another name, as (given, standard).
    """

    rows: np.ndarray
    sequence: str
    left_out: dict[str, int]
    renamed: dict[tuple[str, str], int]


def find_beads(table: AtomTable, path: Path) -> Beads:
    """Find the atoms named CA, or take every atom where each residue has one.

    Parameters
    ----------
    table : AtomTable
    path : pathlib.Path
        For messages.

    Returns
    -------
    Beads

    Raises
    ------
    InputError
        If there is no bead, or a bead of a residue that is not known.
    """
    residue = table.residue_index()
    rows = _alpha_carbons(table)
    if len(rows) == 0:
        if len(table) == 0 or residue[-1] + 1 != len(table):
            raise InputError(
                f"{path}: no Cα beads (atoms named CA, or one atom per residue)",
                "latcpb reads Cα models; leave other particles out with --selection",
            )
        rows = np.arange(len(table))
    names = np.char.upper(table.resnames[rows])
    _refuse_unknown(names, path)
    has_bead = np.zeros(residue[-1] + 1, dtype=bool)
    has_bead[residue[rows]] = True
    first = np.unique(residue, return_index=True)[1]
    # The second of two alternative residues at one site is no residue of its own.
    skipped = first[~has_bead & (table.altlocs[first] == "")]
    standard = [ALIASES[name] for name in names]
    renamed = Counter(pair for pair in zip(names.tolist(), standard, strict=True) if pair[0] != pair[1])
    return Beads(
        rows=rows,
        sequence="".join(LETTERS[NAMES.index(name)] for name in standard),
        left_out=dict(Counter(table.resnames[skipped].tolist()).most_common()),
        renamed=dict(renamed.most_common()),
    )


def _alpha_carbons(table: AtomTable) -> np.ndarray:
    """Rows of atoms named CA, the first alternate location of each."""
    rows = np.flatnonzero((table.names == "CA") & ~np.isin(np.char.upper(table.resnames), _CALCIUM))
    again = np.zeros(len(rows), dtype=bool)
    if len(rows):
        before, after = rows[:-1], rows[1:]
        again[1:] = (table.altlocs[before] != "") & (table.altlocs[after] != "")
        for column in (table.chain_ids, table.resids, table.icodes):
            again[1:] &= column[before] == column[after]
    return rows[~again]


def _refuse_unknown(names: np.ndarray, path: Path) -> None:
    unknown = Counter(name for name in names.tolist() if name not in ALIASES)
    if not unknown:
        return
    shown = ", ".join(f"{name or '(blank)'} ({count})" for name, count in unknown.most_common(_SHOWN))
    more = f" and {len(unknown) - _SHOWN} more names" if len(unknown) > _SHOWN else ""
    listed = " ".join(name for name in sorted(unknown) if name)
    raise InputError(
        f"{path}: Cα beads of residues that are not known: {shown}{more}",
        f"leave them out, for instance with --selection 'not resname {listed}', or rename them",
    )
