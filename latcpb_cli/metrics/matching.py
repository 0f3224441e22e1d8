"""Matching of the residues of two structures."""

from __future__ import annotations

from collections import Counter

import numpy as np

from latcpb_cli.errors import InputError
from latcpb_cli.structure import AtomStructure, CGTrace

__all__ = ["match_residues"]

_NO_CHAIN_ID = {"", "SYSTEM"}
_Key = tuple[str, int, str, int]
"""Chain, residue number, insertion code, and how many residues with these three come before."""


def match_residues(
    reference: AtomStructure, generated: AtomStructure, names: tuple[str, str] = ("reference", "generated")
) -> AtomStructure:
    """Put the residues of the generated structure into the order of the reference.

    Residues are matched by chain identifier, number, insertion code and type;
    where one of the files has no chain identifiers, by the number of the chain
    in the file.

    Parameters
    ----------
    reference, generated : AtomStructure
    names : tuple of str
        Names of the two structures in messages.

    Returns
    -------
    AtomStructure
        ``generated`` with the trace of the reference.

    Raises
    ------
    InputError
        A residue of one structure is not in the other, or has another type there.
    """
    reference_keys, generated_keys = _keys(reference.trace, generated.trace)
    index_of = {key: index for index, key in enumerate(generated_keys)}
    for index, key in enumerate(reference_keys):
        other = index_of.get(key)
        if other is None:
            raise _missing_residue(reference.trace, index, generated.trace, names)
        if reference.trace.sequence[index] != generated.trace.sequence[other]:
            raise InputError(
                f"residue {reference.trace.label(index)} of {names[0]} is "
                f"{generated.trace.label(other)} in {names[1]}",
                "the two files must be of the same protein",
            )
    if len(generated_keys) > len(reference_keys):
        expected = set(reference_keys)
        extra = next(index for index, key in enumerate(generated_keys) if key not in expected)
        raise _missing_residue(generated.trace, extra, reference.trace, (names[1], names[0]))
    order = np.array([index_of[key] for key in reference_keys], dtype=np.int64)
    return AtomStructure(
        reference.trace, generated.atoms[:, order], generated.present[order], generated.left_out
    )


def _missing_residue(trace: CGTrace, index: int, other: CGTrace, names: tuple[str, str]) -> InputError:
    """Return the error for a residue of a trace that another trace lacks."""
    return InputError(
        f"residue {trace.label(index)} of {names[0]} ({len(trace)} residues) is not in "
        f"{names[1]} ({len(other)} residues)",
        "residues are matched by chain, number and insertion code; "
        f"{names[1]} has {other.label(0)} to {other.label(len(other) - 1)}",
    )


def _keys(first: CGTrace, second: CGTrace) -> tuple[list[_Key], list[_Key]]:
    by_number = any(set(map(str, trace.chain_ids)) <= _NO_CHAIN_ID for trace in (first, second))
    return _trace_keys(first, by_number), _trace_keys(second, by_number)


def _trace_keys(trace: CGTrace, by_number: bool) -> list[_Key]:
    """Return a unique key of every residue, also in files that use a chain identifier twice."""
    repeats: Counter[tuple[str, int, str]] = Counter()
    keys = []
    chains = trace.chain_index if by_number else trace.chain_ids
    for chain, resid, icode in zip(chains, trace.resids, trace.icodes, strict=True):
        key = (str(chain), int(resid), str(icode))
        keys.append((*key, repeats[key]))
        repeats[key] += 1
    return keys
