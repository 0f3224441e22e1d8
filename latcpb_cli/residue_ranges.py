"""Residues and chains that a user names, such as ``A:10-95,A:120-180`` and ``A=B``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from latcpb_cli.errors import UsageError

__all__ = ["ResidueRange", "parse_chain_map", "parse_ranges"]

_PATTERN = re.compile(r"(?:(?P<chain>[^:,\s]+):)?(?P<first>-?\d{1,9})(?:-(?P<last>-?\d{1,9}))?")


@dataclass(frozen=True)
class ResidueRange:
    """Residues of one chain, or of all chains, by number.

    Attributes
    ----------
    chain : str or None
        Chain identifier; None for all chains.
    first, last : int
        Residue numbers, both included.
    """

    chain: str | None
    first: int
    last: int

    def __str__(self) -> str:
        return f"{'' if self.chain is None else f'{self.chain}:'}{self.first}-{self.last}"

    def contains(self, chain_ids: Any, resids: Any) -> Any:
        """Return which residues, given by chain identifier and number, are in the range.

        All three are numpy arrays of shape (L,), without annotations: the command line imports this module
        for its help, and numpy would make that slow.
        """
        inside = (resids >= self.first) & (resids <= self.last)
        return inside if self.chain is None else inside & (chain_ids == self.chain)


def parse_ranges(option: str, text: str) -> tuple[ResidueRange, ...]:
    """Read ranges separated by commas: ``[CHAIN:]FIRST-LAST``, or a single number.

    Parameters
    ----------
    option : str
        Name of the option, for messages.
    text : str

    Raises
    ------
    UsageError
        A part is no range, or its last residue comes before its first.
    """
    ranges = []
    for part in text.split(","):
        match = _PATTERN.fullmatch(part.strip())
        if match is None:
            raise UsageError(
                f"{option} '{text}': '{part.strip()}' is no range of residues",
                "give [CHAIN:]FIRST-LAST,..., for instance A:10-95,A:120-180",
            )
        first = int(match["first"])
        last = first if match["last"] is None else int(match["last"])
        if last < first:
            raise UsageError(
                f"{option} '{text}': {part.strip()} ends before it begins", "exchange the two numbers"
            )
        ranges.append(ResidueRange(match["chain"], first, last))
    return tuple(ranges)


def parse_chain_map(option: str, text: str) -> dict[str, tuple[str, ...]]:
    """Read pairs of chains separated by commas: ``A=B,C=D``; a first chain may have several partners.

    Parameters
    ----------
    option : str
        Name of the option, for messages.
    text : str

    Raises
    ------
    UsageError
        A part is no pair.
    """
    chains: dict[str, tuple[str, ...]] = {}
    for part in text.split(","):
        own, sign, other = (word.strip() for word in part.partition("="))
        if not (own and sign and other):
            raise UsageError(
                f"{option} '{text}': '{part.strip()}' is no pair of chains",
                "give INPUT=TEMPLATE,..., for instance A=B,C=D",
            )
        chains[own] = (*chains.get(own, ()), other)
    return chains
