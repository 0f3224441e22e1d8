"""Which residue of a template is which residue of the input, by sequence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np
from jaxtyping import Int64

from latcpb_cli.structure import CGTrace

__all__ = ["ChainMap", "match_chains"]

ChainMap = Mapping[str, tuple[str, ...]]
"""Identifiers of template chains for each input chain that the user names."""

_MIN_BLOCK = 3
"""Residues of the shortest common stretch that does not fit by chance."""
_MIN_COVERAGE = 0.5
"""Part of the shorter chain that must be in common stretches, for chains that the user does not name."""
_LONG_STRETCH = 40
"""Residues of a common stretch that is enough by itself: of chains that overlap only in part."""

_Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A template chain: its identifier, its rows, and the positions it has in common with an input chain."""

    name: str
    rows: Int64[np.ndarray, "N"]
    pairs: _Pairs


def match_chains(
    trace: CGTrace, template: CGTrace, chain_map: ChainMap | None = None
) -> Int64[np.ndarray, "L"]:
    """Find the residue of a template for each residue of the input.

    Every input chain gets the template chain that has most residues in common with it; of equal ones that
    with its identifier, else they are given out in turn. Residues that it leaves open get those of further
    template chains.

    Parameters
    ----------
    trace : CGTrace
        L residues of the input.
    template : CGTrace
    chain_map : mapping of str to tuple of str, optional
        Input chains that may use a template, and the identifiers of their template chains; all chains by
        default.

    Returns
    -------
    numpy.ndarray of int64, shape (L,)
        Residue of the template; -1 for none. Matched residues have equal letters.
    """
    rows = np.full(len(trace), -1)
    copies: Counter[str] = Counter()
    for members in _chains(trace):
        name, sequence = str(trace.chain_ids[members[0]]), _letters(trace, members)
        candidates = _candidates(sequence, template, None if chain_map is None else chain_map.get(name, ()))
        for candidate in _in_order(candidates, name, copies[sequence]):
            free = [(i, j) for i, j in candidate.pairs if rows[members[i]] < 0]
            if len(free) >= _MIN_BLOCK:
                one, other = np.array(free).T
                rows[members[one]] = candidate.rows[other]
        copies[sequence] += 1
    return rows


def _candidates(sequence: str, template: CGTrace, wanted: tuple[str, ...] | None) -> list[_Candidate]:
    """Chains of a template that an input chain may use: those of one protein, or those wanted."""
    found = []
    for chain in _chains(template):
        name = str(template.chain_ids[chain[0]])
        if wanted is None or name in wanted:
            pairs = _common_residues(sequence, _letters(template, chain))
            if wanted is not None or _is_same(pairs, sequence, chain):
                found.append(_Candidate(name, chain, pairs))
    return found


def _in_order(candidates: list[_Candidate], name: str, copy: int) -> list[_Candidate]:
    """Best chains first; of equal ones that with a name, then another for each copy of the input chain."""
    best = max((len(candidate.pairs) for candidate in candidates), default=0)
    equal = [candidate for candidate in candidates if len(candidate.pairs) == best]
    rest = [candidate for candidate in candidates if len(candidate.pairs) < best]
    rest.sort(key=lambda candidate: -len(candidate.pairs))
    named = [candidate for candidate in equal if candidate.name == name]
    turn = copy % max(len(equal), 1)
    return [*named, *equal[turn:], *equal[:turn], *rest]


def _is_same(pairs: _Pairs, sequence: str, chain: Int64[np.ndarray, "N"]) -> bool:
    """Whether two chains have so much in common that they are of one protein."""
    return len(pairs) >= min(_LONG_STRETCH, max(_MIN_BLOCK, _MIN_COVERAGE * min(len(sequence), len(chain))))


@lru_cache(maxsize=256)
def _common_residues(one: str, other: str) -> _Pairs:
    """Positions of the residues of common stretches, rising in both sequences."""
    short, long = sorted((one, other), key=len)
    if (start := long.find(short)) >= 0:
        pairs = [(start + i, i) for i in range(len(short))]
        return tuple(pairs if long is one else [(j, i) for i, j in pairs])
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return tuple(
        (block.a + step, block.b + step)
        for block in blocks
        if block.size >= _MIN_BLOCK
        for step in range(block.size)
    )


def _chains(trace: CGTrace) -> list[Int64[np.ndarray, "N"]]:
    ends = np.flatnonzero(~trace.same_chain_as_next()) + 1
    return np.split(np.arange(len(trace)), ends[:-1])


def _letters(trace: CGTrace, rows: Int64[np.ndarray, "N"]) -> str:
    return "".join(trace.sequence[row] for row in rows.tolist())
