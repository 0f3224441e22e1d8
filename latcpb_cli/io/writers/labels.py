"""Chain identifiers and residue numbers, as an output format can hold them."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from latcpb_cli.errors import one_line
from latcpb_cli.structure import CGTrace

__all__ = [
    "CHAIN_LETTERS", "RenamedChain", "asym_ids", "cif_chain_names", "first_lost_number",
    "pdb_chain_letters", "rename_remarks", "renamed_chains", "resid_columns",
]  # fmt: skip

CHAIN_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
"""The 62 chain identifiers of a PDB file, in the order in which new ones are chosen."""
_RESID_COUNT = 10_000
"""Residue numbers from 0 on that four columns hold."""


@dataclass(frozen=True)
class RenamedChain:
    """A chain that an output calls otherwise than the input.

    Attributes
    ----------
    written : str
        Its identifier in the output.
    given : str
        Its identifier in the input.
    first, last : str
        Its first and last residue, as reports name them.
    """

    written: str
    given: str
    first: str
    last: str


def pdb_chain_letters(trace: CGTrace) -> list[str]:
    """Choose the one-character identifier of each chain in a PDB file.

    Identifiers of the input are kept. A blank one among several chains, one
    of several characters or outside ASCII, or one whose residue numbers another
    chain of the same name uses already, gets a letter that is free; where none is free,
    letters come again.

    Parameters
    ----------
    trace : CGTrace

    Returns
    -------
    list of str
        One per chain; " " for a single nameless chain.
    """
    given = _given_names(trace)
    if len(given) == 1 and not given[0]:
        return [" "]
    free = [letter for letter in CHAIN_LETTERS if letter not in given]
    new_names = itertools.chain(free, itertools.cycle(CHAIN_LETTERS))
    return _choose_names(trace, resid_columns(trace.resids), new_names, _is_pdb_letter)


def cif_chain_names(trace: CGTrace) -> list[str]:
    """Choose the author's identifier of each chain in an mmCIF file.

    Those of the input, of any length. Blank ones, and those whose residue numbers another chain of the same
    name has already, get a name that is free.

    Parameters
    ----------
    trace : CGTrace

    Returns
    -------
    list of str
        One per chain.
    """
    given = set(_given_names(trace))
    free = (name for name in asym_ids() if name not in given)
    return _choose_names(trace, trace.resids, free, bool)


def asym_ids() -> Iterator[str]:
    """Yield A, B, ..., Z, AA, BA, ..., as the Protein Data Bank names chains."""
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_uppercase, repeat=length):
            yield "".join(reversed(letters))


def renamed_chains(trace: CGTrace, names: Sequence[str]) -> list[RenamedChain]:
    """List the chains whose identifiers are not kept; those without any in the input do not count.

    Parameters
    ----------
    trace : CGTrace
    names : sequence of str
        Identifier of each chain in the output.

    Returns
    -------
    list of RenamedChain
    """
    starts = _chain_starts(trace)
    return [
        RenamedChain(name, given, trace.labels[starts[chain]], trace.labels[starts[chain + 1] - 1])
        for chain, (name, given) in enumerate(zip(names, _given_names(trace), strict=True))
        if given and name != given
    ]


def rename_remarks(renamed: Iterable[RenamedChain]) -> list[str]:
    """Describe renamed chains in lines for the head of a file."""
    lines = [one_line(f"CHAIN {chain.written}: {chain.first} TO {chain.last}") for chain in renamed]
    return ["RENAMED CHAINS, WITH THE RESIDUES OF THE INPUT:", *lines] if lines else []


def resid_columns(resids: Int[np.ndarray, "L"]) -> Int[np.ndarray, "L"]:
    """Return residue numbers as four columns hold them: numbers from 10,000 on start again from 0."""
    return np.where(resids < 0, resids, resids % _RESID_COUNT)


def first_lost_number(trace: CGTrace) -> int | None:
    """Return the first residue whose number cannot be counted back from four columns, or None.

    Within a chain, a number of 0 or 1 after 9999 counts as one that starts again.
    """
    columns = resid_columns(trace.resids)
    again: Bool[np.ndarray, "steps"] = (columns[:-1] == _RESID_COUNT - 1) & np.isin(columns[1:], (0, 1))
    rounds = np.r_[0, np.cumsum(again & trace.same_chain_as_next()[:-1])]
    rounds -= rounds[_chain_starts(trace)[:-1]][trace.chain_index]
    lost = np.flatnonzero(columns + _RESID_COUNT * rounds != trace.resids)
    return int(lost[0]) if len(lost) else None


def _is_pdb_letter(name: str) -> bool:
    return len(name) == 1 and name.isascii() and name.isprintable()


def _chain_starts(trace: CGTrace) -> Int[np.ndarray, "bounds"]:
    """Return the first residue of each chain, and the number of residues."""
    return np.searchsorted(trace.chain_index, np.arange(int(trace.chain_index[-1]) + 2))


def _given_names(trace: CGTrace) -> list[str]:
    return [str(trace.chain_ids[start]).strip() for start in _chain_starts(trace)[:-1]]


def _choose_names(
    trace: CGTrace,
    numbers: Int[np.ndarray, "L"],
    new_names: Iterator[str],
    is_possible: Callable[[str], bool],
) -> list[str]:
    """Name each chain: as the input does where that is possible and no residue would occur twice."""
    starts = _chain_starts(trace)
    used: dict[str, set[tuple[int, str]]] = {}
    names = []
    for chain, name in enumerate(_given_names(trace)):
        span = slice(starts[chain], starts[chain + 1])
        residues = set(zip(numbers[span].tolist(), trace.icodes[span].tolist(), strict=True))
        if not is_possible(name) or residues & used.get(name, set()):
            name = next(new_names)
        used.setdefault(name, set()).update(residues)
        names.append(name)
    return names
