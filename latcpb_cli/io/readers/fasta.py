"""Sequences given by the user, for files that do not name their residues."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from latcpb_cli.chem.residues import LETTERS, NAMES
from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.plain_text import decode_text

__all__ = ["match_sequence", "read_sequences", "sequence_table"]

_MAX_BYTES = 1 << 24
_MAX_NAME_LENGTH = 255
_CHAIN_SEPARATOR = re.compile("[/:]")
"""Between the chains of one record, as ProteinMPNN and structure predictors write them."""
_CHAIN_IDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def read_sequences(given: str) -> list[str]:
    """Read a FASTA file, or take the letters of chains.

    Parameters
    ----------
    given : str
        Name of a file with one record per chain, or one-letter codes; in both,
        ``/`` and ``:`` separate chains.

    Returns
    -------
    list of str
        In the twenty standard letters.

    Raises
    ------
    InputError
        It is neither, or the file has other letters or no sequence.
    """
    path = Path(given)
    if len(given) <= _MAX_NAME_LENGTH and path.is_file():
        return _parse_fasta(path)
    chains = [chain for chain in _CHAIN_SEPARATOR.split(given.upper()) if chain]
    if chains and set("".join(chains)) <= set(LETTERS):
        return chains
    raise InputError(
        f"--sequence {given[:60]}: neither a FASTA file nor one-letter codes", "check the name of the file"
    )


def _parse_fasta(path: Path) -> list[str]:
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path}: too large for sequences", "give a FASTA file")
    chains: list[str] = []
    for number, line in enumerate(decode_text(path, path.read_bytes()).split("\n"), start=1):
        line = line.strip()
        if line.startswith((">", ";")) or not chains:
            chains.append("")
        if line.startswith((">", ";")):
            continue
        letters = line.replace(" ", "").rstrip("*").upper()
        unknown = sorted(set(_CHAIN_SEPARATOR.sub("", letters)) - set(LETTERS))
        if unknown:
            raise InputError(
                f"{path}: line {number}: '{unknown[0]}' is not one of the twenty amino acids",
                f"use the letters {LETTERS}",
            )
        chains[-1] += letters
    chains = [chain for record in chains for chain in _CHAIN_SEPARATOR.split(record) if chain]
    if not chains:
        raise InputError(f"{path}: no sequence in it", "give a FASTA file")
    return chains


def match_sequence(chains: list[str], n_beads: int, path: Path) -> tuple[str, Int64[np.ndarray, "L"]]:
    """Assign the letters of sequences to beads, repeatedly where there are several copies.

    Parameters
    ----------
    chains : list of str
        Sequences in the order of the beads.
    n_beads : int
    path : pathlib.Path
        File with the beads, for the message.

    Returns
    -------
    sequence : str
        One letter per bead.
    record_index : numpy.ndarray of int64, shape (L,)
        Number of the sequence that each bead belongs to, copies counted on.

    Raises
    ------
    InputError
        The beads are not a whole number of copies.
    """
    total = sum(map(len, chains))
    n_copies, rest = divmod(n_beads, total)
    if rest or not n_copies:
        hint = (
            "give the sequences of all chains in the order of the file, or leave beads out with --selection"
        )
        if len(chains) > 1 and total % n_beads == 0:
            hint = f"if it holds {total // n_beads} designs of one backbone, keep the one to build; {hint}"
        raise InputError(
            f"{path}: {n_beads} beads, but --sequence has {total} residues in {len(chains)} chains", hint
        )
    lengths = [len(chain) for chain in chains] * n_copies
    return "".join(chains) * n_copies, np.repeat(np.arange(len(lengths)), lengths)


def sequence_table(chains: list[str], n_atoms: int, path: Path) -> AtomTable:
    """List the atoms of a trajectory of Cα alone, whose residues only the user's sequences name.

    Parameters
    ----------
    chains : list of str
        Sequences in the order of the beads.
    n_atoms : int
        Atoms of the trajectory.
    path : pathlib.Path
        The trajectory, for the message.

    Returns
    -------
    AtomTable
        Chains are named A, B, ... as far as there are letters and digits for
        all of them; residues are numbered from 1 in each.

    Raises
    ------
    InputError
        The atoms are not a whole number of copies of the sequences.
    """
    letters, record_index = match_sequence(chains, n_atoms, path)
    starts = np.flatnonzero(np.r_[True, record_index[1:] != record_index[:-1]])
    names = _CHAIN_IDS if len(starts) <= len(_CHAIN_IDS) else [""] * len(starts)
    blank = np.full(n_atoms, "")
    return AtomTable(
        names=np.full(n_atoms, "CA"),
        resnames=np.array([NAMES[LETTERS.index(letter)] for letter in letters]),
        resids=np.arange(n_atoms) - starts[record_index] + 1,
        icodes=blank,
        altlocs=blank,
        chain_ids=np.array(list(names))[record_index],
        segment_index=record_index,
    )
