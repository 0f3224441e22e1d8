"""Bring two structures to the same residues in the same order."""

from __future__ import annotations

from collections import Counter

import numpy as np

from latcpb_cli.errors import InputError
from latcpb_cli.structure import AtomStructure, CGTrace

__all__ = ["match_residues"]

_NO_CHAIN = {"", "SYSTEM"}
Key = tuple[str, int, str, int]


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
        What to call them in messages.

    Returns
    -------
    AtomStructure
        ``generated`` with the trace of the reference.

    Raises
    ------
    InputError
        A residue of one structure is not in the other, or of another type.
    """
    ours, theirs = _keys(reference.trace, generated.trace)
    where = {key: index for index, key in enumerate(theirs)}
    for index, key in enumerate(ours):
        found = where.get(key)
        if found is None:
            _refuse(reference.trace, index, generated.trace, names)
        elif reference.trace.sequence[index] != generated.trace.sequence[found]:
            raise InputError(
                f"residue {reference.trace.label(index)} of {names[0]} is "
                f"{generated.trace.label(found)} in {names[1]}",
                "the two files must be of the same protein",
            )
    if len(theirs) > len(ours):
        known = set(ours)
        extra = next(index for index, key in enumerate(theirs) if key not in known)
        _refuse(generated.trace, extra, reference.trace, (names[1], names[0]))
    order = np.array([where[key] for key in ours], dtype=np.int64)
    return AtomStructure(
        reference.trace, generated.atoms[:, order], generated.present[order], generated.left_out
    )


def _refuse(trace: CGTrace, index: int, other: CGTrace, names: tuple[str, str]) -> None:
    raise InputError(
        f"residue {trace.label(index)} of {names[0]} ({len(trace)} residues) is not in "
        f"{names[1]} ({len(other)} residues)",
        "residues are matched by chain, number and insertion code; "
        f"{names[1]} has {other.label(0)} to {other.label(len(other) - 1)}",
    )


def _keys(first: CGTrace, second: CGTrace) -> tuple[list[Key], list[Key]]:
    by_number = any(set(map(str, trace.chain_ids)) <= _NO_CHAIN for trace in (first, second))
    return _trace_keys(first, by_number), _trace_keys(second, by_number)


def _trace_keys(trace: CGTrace, by_number: bool) -> list[Key]:
    """Name every residue; what occurs again is counted, for files that use a chain identifier twice."""
    seen: Counter[tuple[str, int, str]] = Counter()
    keys = []
    chains = trace.chain_index if by_number else trace.chain_ids
    for chain, resid, icode in zip(chains, trace.resids, trace.icodes, strict=True):
        key = (str(chain), int(resid), str(icode))
        keys.append((*key, seen[key]))
        seen[key] += 1
    return keys
