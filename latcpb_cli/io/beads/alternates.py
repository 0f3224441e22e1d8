"""Atoms that a file lists more than once: alternate locations, with and without letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from latcpb_cli.chem.residue_names import NOT_PROTEIN
from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.chains import describe_bead, is_bond, list_some
from latcpb_cli.io.beads.sampled import SampledFrames
from latcpb_cli.io.readers.atoms import AtomTable

__all__ = ["drop_alternates"]

_MAX_ALTERNATE_DISTANCE = 8.0
"""Å; locations of one atom are nearer than this. It decides where letters and segments do not."""
_MAX_SAME_DISTANCE = 2.5
"""Two Cα nearer than this (Å) are one: those of a cis peptide are 2.9 Å apart."""

SampleRows = Callable[[Int64[np.ndarray, "M"]], SampledFrames]
Site = tuple[str, int, str]
"""Chain identifier, residue number and insertion code."""


def drop_alternates(
    table: AtomTable, path: Path, sample_rows: SampleRows | None
) -> tuple[Bool[np.ndarray, "N"], list[str]]:
    """Mark one location of each atom.

    Of the letters of a residue that of its first Cα counts, wherever the file
    lists the others: beside the first, in a block after it, or at the end. A
    Cα that is listed again without a letter, at the same site, is one atom.

    Parameters
    ----------
    table : AtomTable
        N rows.
    path : pathlib.Path
        For messages.
    sample_rows : callable or None
        Reads the positions of some rows in a few frames; None where the
        frames do not hold all atoms.

    Returns
    -------
    kept : numpy.ndarray of bool, shape (N,)
    notes : list of str
        What was left out, one line each.

    Raises
    ------
    InputError
        Letters at one site belong to places that are far apart.
    """
    kept = np.ones(len(table), dtype=bool)
    notes = []
    lettered = _lettered_rows(table)
    if len(lettered):
        samples = None if sample_rows is None else sample_rows(lettered)
        dropped = _other_letters(table, lettered, samples, path)
        kept[dropped] = False
        if dropped:
            notes.append(f"alternate locations, the first is used: {_list_residues(table, dropped)}")
    if sample_rows is not None:
        repeated = _repeated_rows(table, np.flatnonzero(kept), sample_rows)
        kept[repeated] = False
        if len(repeated):
            notes.append(f"listed twice, the first is used: {_list_residues(table, repeated.tolist())}")
    return kept, notes


def _list_residues(table: AtomTable, rows: list[int]) -> str:
    return list_some(list(dict.fromkeys(describe_bead(table, row) for row in rows)))


def _lettered_rows(table: AtomTable) -> Int64[np.ndarray, "M"]:
    """Return the rows of all atoms at sites with a letter, in file order."""
    if not table.altlocs.any():
        return np.zeros(0, dtype=np.int64)
    sites = _sites(table)
    lettered = {sites[row] for row in np.flatnonzero(table.altlocs != "").tolist()}
    return np.array([row for row, site in enumerate(sites) if site in lettered], dtype=np.int64)


def _sites(table: AtomTable) -> list[Site]:
    columns = (table.chain_ids.tolist(), table.resids.tolist(), table.icodes.tolist())
    return list(zip(*columns, strict=True))


@dataclass(eq=False)
class _Residue:
    """Rows of one residue, and the places of its atoms among the sampled rows.

    Attributes
    ----------
    segment : int
    rows : list of int
    places : dict of (str, str) to int
        Sampled row of each letter and atom name.
    """

    segment: int
    rows: list[int]
    places: dict[tuple[str, str], int]

    def letters(self) -> set[str]:
        """Return the letters of its atoms, without the blank."""
        return {letter for letter, _ in self.places} - {""}


def _other_letters(
    table: AtomTable, rows: Int64[np.ndarray, "M"], samples: SampledFrames | None, path: Path
) -> list[int]:
    """Return the rows whose letter is not the one that counts in their residue."""
    names, letters = table.names.tolist(), table.altlocs.tolist()
    sites, segments = _sites(table), table.segment_index.tolist()
    residues: dict[Site, list[_Residue]] = {}
    for place, row in enumerate(rows.tolist()):
        letter, name = letters[row], names[row]
        here = residues.setdefault(sites[row], [])
        owner = next(
            (r for r in reversed(here) if _belongs(r, letter, name, place, segments[row], samples)), None
        )
        if owner is None:
            owner = _Residue(segments[row], [], {})
            here.append(owner)
        owner.rows.append(row)
        owner.places[letter, name] = place
    for site, here in residues.items():
        _check_letters(path, site, here)
    return [
        row for here in residues.values() for residue in here for row in _dropped(residue, names, letters)
    ]


def _belongs(
    residue: _Residue, letter: str, name: str, place: int, segment: int, samples: SampledFrames | None
) -> bool:
    """Return whether an atom is another one, or another location of one, of a residue at its site."""
    if (letter, name) in residue.places:
        return False
    locations = [(other, where) for (other, what), where in residue.places.items() if what == name]
    if not locations:
        return segment == residue.segment or letter in residue.letters()
    if segment == residue.segment and letter and all(other for other, _ in locations):
        return True
    if samples is None:
        return segment == residue.segment
    return any(samples.distance(where, place) <= _MAX_ALTERNATE_DISTANCE for _, where in locations)


def _check_letters(path: Path, site: Site, residues: list[_Residue]) -> None:
    """Raise where residues at one site share no letter, which one residue has but not two."""
    chain, number, icode = site
    for first, second in zip(residues[:-1], residues[1:], strict=True):
        a, b = first.letters(), second.letters()
        if chain and a and b and not a & b:
            raise InputError(
                f"{path}: residue {chain}:{number}{icode} has the alternate locations "
                f"{'/'.join(sorted(a))} and {'/'.join(sorted(b))} far apart, in different segments",
                f"leave one of them out, for instance with --selection 'not altLoc {min(b)}'",
            )


def _dropped(residue: _Residue, names: list[str], letters: list[str]) -> Iterator[int]:
    """Yield the rows of a residue with another letter than its first Cα, or its first atom."""
    lettered = [row for row in residue.rows if letters[row]]
    alphas = [row for row in residue.rows if names[row].upper() == "CA"]
    first = letters[alphas[0]] if alphas else letters[lettered[0]]
    for row in lettered:
        blank = ("", names[row]) in residue.places
        if blank or (letters[row] != (first or letters[lettered[0]])):
            yield row


def _repeated_rows(
    table: AtomTable, rows: Int64[np.ndarray, "M"], sample_rows: SampleRows
) -> Int64[np.ndarray, "R"]:
    """Return the rows of Cα, and of their residues, that the file has listed before."""
    alphas = _alpha_rows(table, rows)
    pairs = list(_same_names(table, alphas))
    if not pairs:
        return np.zeros(0, dtype=np.int64)
    first, second = np.array(pairs, dtype=np.int64).T
    samples = sample_rows(alphas)
    same = samples.distances(first, second) <= _MAX_SAME_DISTANCE
    chains, resids = table.chain_ids[alphas].tolist(), table.resids[alphas].tolist()
    for index in np.flatnonzero(~same & (second == first + 1)).tolist():
        a, b = pairs[index]
        # The neighbours of a residue are bonded to both of its locations, however far apart these are.
        beside = [(n, x, y) for n, x, y in ((a - 1, a - 1, b), (b + 1, a, b + 1)) if 0 <= n < len(alphas)]
        same[index] = any(
            chains[n] == chains[a]
            and resids[n] != resids[a]
            and is_bond(np.array([samples.distance(x, y)]))[0]
            for n, x, y in beside
        )
    residue = table.residue_index()
    repeated = alphas[second[same]]
    by_itself = residue[repeated] != residue[alphas[first[same]]]
    others = rows[np.isin(residue[rows], residue[repeated[by_itself]])]
    return np.union1d(repeated, others)


def _alpha_rows(table: AtomTable, rows: Int64[np.ndarray, "M"]) -> Int64[np.ndarray, "A"]:
    """Return the rows of Cα of what may be a protein; all of its atoms where none is named CA."""
    resnames = np.char.upper(table.resnames[rows])
    proteins = rows[~np.isin(resnames, [name for name in set(resnames.tolist()) if name in NOT_PROTEIN])]
    alphas = proteins[np.char.upper(table.names[proteins]) == "CA"]
    return alphas if len(alphas) else proteins


def _same_names(table: AtomTable, rows: Int64[np.ndarray, "M"]) -> Iterator[tuple[int, int]]:
    """Yield each atom that has the labels of another one, after it: places of both among the rows."""
    columns = (table.chain_ids, table.resids, table.icodes, table.resnames, table.names)
    before: dict[tuple[object, ...], int] = {}
    for place, labels in enumerate(zip(*(column[rows].tolist() for column in columns), strict=True)):
        if labels in before:
            yield before[labels], place
        before[labels] = place
