"""Which amino acids the Cα beads represent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64, Shaped

from latcpb_cli.chem.naming import residue_name
from latcpb_cli.chem.residue_names import (
    D_RESIDUES,
    NOT_PROTEIN,
    PARENTS,
    UNSPECIFIC,
    standard_name,
    variant_name,
)
from latcpb_cli.chem.residues import LETTERS, NAMES
from latcpb_cli.choices import UnknownResidues
from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.bead_atoms import BeadAtoms, check_every_residue, choose_bead_atoms, count_names
from latcpb_cli.io.beads.chains import is_bond
from latcpb_cli.io.beads.sampled import SampledFrames
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.fasta import match_sequence
from latcpb_cli.read_options import ReadOptions

__all__ = ["Beads", "identify_beads"]

_NUCLEOTIDES = set("ACGUTIN")
_LIGANDS = "ligands with an atom CA that belongs to no chain"

SampleRows = Callable[[Int64[np.ndarray, "M"]], SampledFrames]
"""Reads the positions of some rows of the atom table."""


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
        Residues that are no amino acid or have no Cα bead, counted by residue name.
    renamed : dict of (str, str) to int
        Residues that were read under another name, as (given, standard).
    record_index : numpy.ndarray of int64, shape (L,)
        Number of the user's sequence that each bead belongs to; zeros without any.
    name : str
        Atom name of the beads, "" where they have none in common.
    notes : tuple of str
        Residues that are left out for other reasons, one line each.
    """

    rows: Int64[np.ndarray, "L"]
    sequence: str
    variants: Shaped[np.ndarray, "L"]
    left_out: dict[str, int]
    renamed: dict[tuple[str, str], int]
    record_index: Int64[np.ndarray, "L"]
    name: str
    notes: tuple[str, ...] = ()

    def select(self, rows: Int64[np.ndarray, "M"] | Bool[np.ndarray, "L"]) -> Beads:
        """Return some beads, by indices or by a mask; what was left out is not counted again."""
        return replace(
            self,
            rows=self.rows[rows],
            sequence="".join(np.array(list(self.sequence))[rows]),
            variants=self.variants[rows],
            record_index=self.record_index[rows],
        )


def identify_beads(
    table: AtomTable,
    path: Path,
    options: ReadOptions,
    sequences: list[str] | None = None,
    sample_rows: SampleRows | None = None,
) -> Beads:
    """Find the bead of each residue and the amino acid that it represents.

    Beads are the atoms that the user names; else those named CA; else those
    named CAlpha or BB; else the only atom of each residue. Water, ions,
    lipids, nucleotides and ligands are left out.

    Parameters
    ----------
    table : AtomTable
    path : pathlib.Path
        For messages.
    options : ReadOptions
        ``bead`` and ``on_unknown`` decide.
    sequences : list of str or None
        One per chain; they replace the residue names of the file.
    sample_rows : callable, optional
        Reads positions, by which an unknown residue that is bonded to no other
        one is recognised as a ligand.

    Returns
    -------
    Beads

    Raises
    ------
    InputError
        If there is no bead, an amino acid without one, or a bead of an
        unknown residue or of a D residue.
    """
    atoms = choose_bead_atoms(table, path, options.bead)
    names = np.char.upper(table.resnames[atoms.rows])
    skipped: dict[str, list[int]] = {}
    if sequences is not None:
        rows = atoms.rows[~np.isin(names, list(NOT_PROTEIN))] if atoms.by_name else atoms.rows
        names = np.char.upper(table.resnames[rows])
        sequence, record_index = match_sequence(sequences, len(rows), path)
        standard: list[str] = [NAMES[LETTERS.index(letter)] for letter in sequence]
    else:
        amino_acids = _standard_names(table.select(atoms.rows), names, atoms, options.on_unknown)
        _skip_ligands(table, atoms, amino_acids, sample_rows, skipped)
        _check_unknown(names, atoms.rows, amino_acids, path, options.on_unknown, skipped)
        kept = np.array([bool(name) for name in amino_acids])
        if not kept.any():
            raise InputError(f"{path}: no amino acid in it, only {count_names(names)}", "give a protein")
        if options.on_unknown != "skip":
            check_every_residue(table, atoms, path)
        rows, names = atoms.rows[kept], names[kept]
        record_index = np.zeros(len(rows), dtype=np.int64)
        standard = [name for name in amino_acids if name]
    variants = [variant_name(name) if sequences is None else "" for name in names.tolist()]
    written = [residue_name(v or name, "pdb") for v, name in zip(variants, standard, strict=True)]
    renamed = Counter(pair for pair in zip(names.tolist(), written, strict=True) if pair[0] != pair[1])
    bead_names = set(table.names[rows].tolist())
    return Beads(
        rows=rows,
        sequence="".join(LETTERS[NAMES.index(name)] for name in standard),
        variants=np.array(variants, dtype="U4"),
        left_out=_left_out(table, np.array([*rows, *sum(skipped.values(), [])], dtype=np.int64)),
        renamed={} if sequences is not None else dict(renamed.most_common()),
        record_index=record_index,
        name=bead_names.pop() if len(bead_names) == 1 else "",
        notes=tuple(f"left out, {why}: {count_names(table.resnames[skipped[why]])}" for why in skipped),
    )


def _standard_names(
    beads: AtomTable, names: Shaped[np.ndarray, "L"], atoms: BeadAtoms, on_unknown: UnknownResidues
) -> list[str | None]:
    """Return the name of the amino acid of each bead; "" for what is left out, None for what is unknown."""
    meaning: dict[str, str | None] = {}
    for name in set(names.tolist()):
        meaning[name] = "" if name in NOT_PROTEIN else standard_name(name)
        if meaning[name] is None and on_unknown == "nearest":
            meaning[name] = PARENTS.get(name)
    if not atoms.by_name and any(amino_acid and len(name) > 1 for name, amino_acid in meaning.items()):
        # In a file with three-letter names, K is an ion, W water and A a nucleotide.
        meaning = {name: amino_acid if len(name) > 1 else "" for name, amino_acid in meaning.items()}
    amino_acids = [meaning[name] for name in names.tolist()]
    if not atoms.by_name and "U" in meaning:
        _drop_rna(beads, names, amino_acids)
    return amino_acids


def _drop_rna(beads: AtomTable, names: Shaped[np.ndarray, "L"], amino_acids: list[str | None]) -> None:
    """Leave out the chains of one-letter names that hold a U and nothing but bases (in place)."""
    bounds = [0, *(np.flatnonzero(beads.chain_changes()) + 1).tolist(), len(beads)]
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        letters = set(names[start:stop].tolist())
        if "U" in letters and letters <= _NUCLEOTIDES:
            amino_acids[start:stop] = [""] * (stop - start)


def _skip_ligands(
    table: AtomTable,
    atoms: BeadAtoms,
    amino_acids: list[str | None],
    sample_rows: SampleRows | None,
    skipped: dict[str, list[int]],
) -> None:
    """Leave out unknown residues with a CA atom that are no part of a chain (in place).

    They lack the backbone atoms that the amino acids of the file have, or
    their CA is bonded neither to the bead before nor to the one after it.
    """
    unknown = np.array([name is None for name in amino_acids], dtype=bool)
    known = np.array([bool(name) for name in amino_acids], dtype=bool)
    if not atoms.by_name or not unknown.any() or not known.any():
        return
    ligand = np.zeros(len(unknown), dtype=bool)
    backbone = _has_backbone(table)[table.residue_index()[atoms.rows]]
    if backbone[known].mean() > 0.5:
        ligand |= unknown & ~backbone
    if sample_rows is not None:
        bonded = is_bond(sample_rows(atoms.rows).neighbor_distances())
        if bonded.mean() > 0.5:
            ligand |= unknown & ~(np.r_[bonded, False] | np.r_[False, bonded])
    for index in np.flatnonzero(ligand).tolist():
        amino_acids[index] = ""
        skipped.setdefault(_LIGANDS, []).append(int(atoms.rows[index]))


def _has_backbone(table: AtomTable) -> Bool[np.ndarray, "residues"]:
    """Mark the residues that have both an atom N and an atom C."""
    residue = table.residue_index()
    has = np.zeros((2, residue[-1] + 1), dtype=bool)
    for row, name in enumerate(("N", "C")):
        has[row, residue[table.names == name]] = True
    return np.asarray(has.all(axis=0))


def _left_out(table: AtomTable, rows: Int64[np.ndarray, "M"]) -> dict[str, int]:
    """Count the residues without any of some rows by name."""
    residue = table.residue_index()
    has_row = np.zeros(residue[-1] + 1, dtype=bool)
    has_row[residue[rows]] = True
    first = np.unique(residue, return_index=True)[1]
    # The second of two alternative residues at one site does not count as a residue.
    without = first[~has_row & (table.altlocs[first] == "")]
    return dict(Counter(table.resnames[without].tolist()).most_common())


def _check_unknown(
    names: Shaped[np.ndarray, "M"],
    rows: Int64[np.ndarray, "M"],
    amino_acids: list[str | None],
    path: Path,
    on_unknown: UnknownResidues,
    skipped: dict[str, list[int]],
) -> None:
    """Raise where the residues of some beads are unknown; under ``skip``, leave them out (in place)."""
    unknown = [index for index, amino_acid in enumerate(amino_acids) if amino_acid is None]
    if on_unknown == "skip":
        for index in unknown:
            amino_acids[index] = ""
            reason = "D residues" if names[index] in D_RESIDUES else "unknown residues"
            skipped.setdefault(reason, []).append(int(rows[index]))
    elif unknown:
        raise _unknown_error(names[unknown].tolist(), path, on_unknown)


def _unknown_error(unknown: list[str], path: Path, on_unknown: UnknownResidues) -> InputError:
    """Describe unknown residues, and what can be done about them."""
    chiral = [name for name in unknown if name in D_RESIDUES]
    if chiral:
        listed = " ".join(sorted(set(chiral)))
        return InputError(
            f"{path}: D amino acids: {count_names(chiral)}; latcpb builds L amino acids only",
            f"leave them out with --selection 'not resname {listed}' or --on-unknown skip",
        )
    if all(len(name) <= 1 or name.isdecimal() or name in UNSPECIFIC for name in unknown):
        return InputError(
            f"{path}: residue names that mean no amino acid: {count_names(unknown)}",
            "give the sequences of its chains with --sequence FASTA",
        )
    listed = " ".join(name for name in sorted(set(unknown)) if name)
    others = ", or rename them"
    if on_unknown != "nearest" and set(unknown) <= set(PARENTS):
        others = ", or read them as their nearest relative with --on-unknown nearest"
    elif set(unknown) & UNSPECIFIC:
        others = ", or give the sequences of all chains with --sequence FASTA"
    return InputError(
        f"{path}: Cα beads of residues that are not known: {count_names(unknown)}",
        f"leave them out, for instance with --selection 'not resname {listed}'{others}",
    )
