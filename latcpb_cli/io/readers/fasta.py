"""Sequences given by the user, for files that do not name their residues."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import LETTERS
from latcpb_cli.errors import InputError

__all__ = ["match_sequence", "read_sequences"]

_MOST_BYTES = 1 << 24


def read_sequences(given: str) -> list[str]:
    """Read a FASTA file, one sequence per chain, or take the letters of one chain.

    Parameters
    ----------
    given : str
        Name of a file, or one-letter codes.

    Returns
    -------
    list of str
        In the twenty standard letters.

    Raises
    ------
    InputError
    """
    path = Path(given)
    if len(given) < 256 and path.is_file():
        return _parse(path)
    letters = given.upper()
    if letters and set(letters) <= set(LETTERS):
        return [letters]
    raise InputError(
        f"--sequence {given[:60]}: neither a FASTA file nor one-letter codes", "check the name of the file"
    )


def _parse(path: Path) -> list[str]:
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(f"{path}: too large for sequences", "give a FASTA file")
    chains: list[str] = []
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
        line = line.strip()
        if line.startswith((">", ";")) or not chains:
            chains.append("")
        if line.startswith((">", ";")):
            continue
        letters = line.replace(" ", "").rstrip("*").upper()
        strange = sorted(set(letters) - set(LETTERS))
        if strange:
            raise InputError(
                f"{path}: line {number}: '{strange[0]}' is not one of the twenty amino acids",
                f"use the letters {LETTERS}",
            )
        chains[-1] += letters
    chains = [chain for chain in chains if chain]
    if not chains:
        raise InputError(f"{path}: no sequence in it", "give a FASTA file")
    return chains


def match_sequence(chains: list[str], n_beads: int, path: Path) -> tuple[str, np.ndarray]:
    """Lay the sequences along the beads, over and over where there are several copies.

    Returns
    -------
    sequence : str
        One letter per bead.
    record : numpy.ndarray of int64, shape (L,)
        Number of the chain that each bead belongs to.

    Raises
    ------
    InputError
        The beads are not a whole number of copies.
    """
    total = sum(map(len, chains))
    copies, rest = divmod(n_beads, total)
    if rest or not copies:
        raise InputError(
            f"{path}: {n_beads} beads, but --sequence has {total} residues in {len(chains)} chains",
            "give the sequences of all chains in the order of the file, or leave beads out with --selection",
        )
    lengths = [len(chain) for chain in chains] * copies
    return "".join(chains) * copies, np.repeat(np.arange(len(lengths)), lengths)
