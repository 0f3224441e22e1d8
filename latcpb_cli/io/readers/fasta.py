"""Sequences given by the user, for files that do not name their residues."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Int64

from latcpb_cli.chem.residues import LETTERS
from latcpb_cli.errors import InputError

__all__ = ["match_sequence", "read_sequences"]

_MAX_BYTES = 1 << 24
_MAX_NAME_LENGTH = 255


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
        It is neither, or the file has other letters or no sequence.
    """
    path = Path(given)
    if len(given) <= _MAX_NAME_LENGTH and path.is_file():
        return _parse_fasta(path)
    letters = given.upper()
    if letters and set(letters) <= set(LETTERS):
        return [letters]
    raise InputError(
        f"--sequence {given[:60]}: neither a FASTA file nor one-letter codes", "check the name of the file"
    )


def _parse_fasta(path: Path) -> list[str]:
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path}: too large for sequences", "give a FASTA file")
    chains: list[str] = []
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
        line = line.strip()
        if line.startswith((">", ";")) or not chains:
            chains.append("")
        if line.startswith((">", ";")):
            continue
        letters = line.replace(" ", "").rstrip("*").upper()
        unknown = sorted(set(letters) - set(LETTERS))
        if unknown:
            raise InputError(
                f"{path}: line {number}: '{unknown[0]}' is not one of the twenty amino acids",
                f"use the letters {LETTERS}",
            )
        chains[-1] += letters
    chains = [chain for chain in chains if chain]
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
        raise InputError(
            f"{path}: {n_beads} beads, but --sequence has {total} residues in {len(chains)} chains",
            "give the sequences of all chains in the order of the file, or leave beads out with --selection",
        )
    lengths = [len(chain) for chain in chains] * n_copies
    return "".join(chains) * n_copies, np.repeat(np.arange(len(lengths)), lengths)
