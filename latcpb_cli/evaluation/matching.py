"""Which residue of a structure is which residue of its reference."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.errors import InputError
from latcpb_cli.evaluation.sequence_alignment import align
from latcpb_cli.structure import CGTrace

__all__ = ["LabelledTrace", "Matching", "match_residues"]

_NO_CHAIN_ID = {"", "SYSTEM"}
_MAX_LISTED = 4
_MIN_COMMON = 0.5
"""Part of the residues of the smaller structure that must have a partner."""
_MAX_WRONG_TYPES = 0.1
"""Numbers under which more residues than this part have other names are not those of the reference."""
_Key = tuple[str, int, str, int]
"""Chain, residue number, insertion code, and how many residues with these three come before."""


@dataclass(frozen=True, eq=False)
class LabelledTrace:
    """Residues of a file.

    Attributes
    ----------
    name : str
        Name of the file in messages.
    trace : CGTrace
    ca : numpy.ndarray, shape (L, 3)
        Cα of one frame, Å; they decide where a sequence fits in several places.
    """

    name: str
    trace: CGTrace
    ca: Float[np.ndarray, "L 3"]


@dataclass(frozen=True, eq=False)
class Matching:
    """M pairs of residues.

    Attributes
    ----------
    reference, generated : numpy.ndarray of int64, shape (M,)
        Residues of the two structures, those of the reference rising.
    notes : tuple of str
        What differs between the labels and which residues have no partner, one line each.
    """

    reference: Int[np.ndarray, "M"]
    generated: Int[np.ndarray, "M"]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.reference)


def match_residues(reference: LabelledTrace, generated: LabelledTrace) -> Matching:
    """Find the partner of each residue.

    Residues of equal chain, number and insertion code are partners; where one of
    the files has no chain identifiers, the number of the chain in the file counts.
    Where these labels do not lead to residues of one type, the sequences of the
    chains are aligned without substitutions.

    Parameters
    ----------
    reference, generated : LabelledTrace

    Returns
    -------
    Matching

    Raises
    ------
    InputError
        A residue has another type than its partner, or the greater part of the
        smaller structure has no partner.
    """
    pairs = _match_labels(reference, generated)
    by_labels = pairs is not None
    if pairs is None:
        pairs = _match_sequences(reference, generated)
    smaller = min(len(reference.trace), len(generated.trace))
    if len(pairs) < _MIN_COMMON * smaller:
        raise _no_match(reference, generated, len(pairs))
    first, second = np.array(sorted(pairs), dtype=np.int64).T
    notes = [] if by_labels else _label_notes(reference, generated, first, second)
    for one, other, kept in ((reference, generated, first), (generated, reference, second)):
        missing = np.setdiff1d(np.arange(len(one.trace)), kept)
        if len(missing):
            notes.append(f"not in {other.name}: {_list(one.trace, missing)} of {one.name}")
    return Matching(first, second, tuple(notes))


def _match_labels(reference: LabelledTrace, generated: LabelledTrace) -> list[tuple[int, int]] | None:
    """Pairs with equal labels; None where most of them would be wrong."""
    keys = _keys(reference.trace, generated.trace)
    index_of = {key: index for index, key in enumerate(keys[1])}
    pairs = [(index, index_of[key]) for index, key in enumerate(keys[0]) if key in index_of]
    letters = reference.trace.sequence, generated.trace.sequence
    wrong = [pair for pair in pairs if letters[0][pair[0]] != letters[1][pair[1]]]
    smaller = min(map(len, letters))
    if len(pairs) < _MIN_COMMON * smaller or len(wrong) > _MAX_WRONG_TYPES * smaller:
        return None
    if wrong:
        raise _other_type(reference, generated, wrong[0])
    return pairs


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


def _match_sequences(reference: LabelledTrace, generated: LabelledTrace) -> list[tuple[int, int]]:
    """Pair chains whose sequences align: those of one identifier first, then in their order."""
    free = list(_chains(reference.trace))
    pairs: list[tuple[int, int]] = []
    mismatch: tuple[int, int] | None = None
    for members in _chains(generated.trace):
        name = str(generated.trace.chain_ids[members[0]])
        free.sort(key=lambda chain: (str(reference.trace.chain_ids[chain[0]]) != name, chain[0]))
        best: tuple[list[tuple[int, int]], np.ndarray] | None = None
        for chain in free:
            alignment = align(
                _letters(reference.trace, chain), _letters(generated.trace, members),
                reference.ca[chain], generated.ca[members],
            )  # fmt: skip
            if alignment.substitution is not None and mismatch is None:
                mismatch = int(chain[alignment.substitution[0]]), int(members[alignment.substitution[1]])
            found = [(int(chain[i]), int(members[j])) for i, j in alignment.pairs]
            if found and (best is None or len(found) > len(best[0])):
                best = found, chain
        if best is not None:
            pairs += best[0]
            free = [chain for chain in free if chain is not best[1]]
    if not pairs and mismatch is not None:
        raise _other_type(reference, generated, mismatch)
    return pairs


def _chains(trace: CGTrace) -> list[Int[np.ndarray, "N"]]:
    return [np.flatnonzero(trace.chain_index == chain) for chain in np.unique(trace.chain_index)]


def _letters(trace: CGTrace, rows: Int[np.ndarray, "N"]) -> str:
    return "".join(trace.sequence[row] for row in rows.tolist())


def _label_notes(
    reference: LabelledTrace,
    generated: LabelledTrace,
    first: Int[np.ndarray, "M"],
    second: Int[np.ndarray, "M"],
) -> list[str]:
    """Describe how the labels of partners differ, in one line for each pair of chains."""
    notes = []
    ids = reference.trace.chain_ids[first], generated.trace.chain_ids[second]
    shift = generated.trace.resids[second] - reference.trace.resids[first]
    for chain in np.unique(reference.trace.chain_index[first]).tolist():
        rows = np.flatnonzero(reference.trace.chain_index[first] == chain)
        one, other = str(ids[0][rows[0]]), str(ids[1][rows[0]])
        what = []
        if one != other:
            what.append(f"chain {other or '(no name)'} is chain {one or '(no name)'} of {reference.name}")
        shifts = np.unique(shift[rows])
        if len(shifts) == 1 and shifts[0]:
            direction = "higher" if shifts[0] > 0 else "lower"
            what.append(f"its residue numbers are {abs(shifts[0])} {direction} than in {reference.name}")
        elif len(shifts) > 1:
            what.append(f"its residues are numbered in another way than in {reference.name}")
        if what:
            notes.append(f"{generated.name}, matched by sequence: {', '.join(what)}")
    return notes


def _list(trace: CGTrace, rows: Int[np.ndarray, "N"]) -> str:
    labels = [trace.labels[row] for row in rows[:_MAX_LISTED]]
    more = f" and {len(rows) - _MAX_LISTED} more" if len(rows) > _MAX_LISTED else ""
    return f"{len(rows)} residue{'' if len(rows) == 1 else 's'} ({', '.join(labels)}{more})"


def _other_type(reference: LabelledTrace, generated: LabelledTrace, pair: tuple[int, int]) -> InputError:
    return InputError(
        f"residue {reference.trace.labels[pair[0]]} of {reference.name} is "
        f"{generated.trace.labels[pair[1]]} in {generated.name}",
        "the two files must be of the same protein",
    )


def _no_match(reference: LabelledTrace, generated: LabelledTrace, n_pairs: int) -> InputError:
    return InputError(
        f"{n_pairs} of the {len(generated.trace)} residues of {generated.name} are among the "
        f"{len(reference.trace)} of {reference.name}",
        f"the two files must be of the same protein; {generated.name} has {generated.trace.labels[0]} to "
        f"{generated.trace.labels[-1]}, {reference.name} {reference.trace.labels[0]} to "
        f"{reference.trace.labels[-1]}",
    )
