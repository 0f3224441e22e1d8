"""The residues of an input that ranges of a user name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from latcpb_cli.errors import InputError
from latcpb_cli.residue_ranges import ResidueRange
from latcpb_cli.structure import CGTrace

__all__ = ["list_chains", "named_residues"]


def named_residues(trace: CGTrace, ranges: Sequence[ResidueRange], option: str) -> Bool[np.ndarray, "L"]:
    """Return which residues are in one of the ranges.

    Parameters
    ----------
    trace : CGTrace
        L residues.
    ranges : sequence of ResidueRange
    option : str
        Name of the option, with the file if there is one, for messages.

    Raises
    ------
    InputError
        A range holds no residue.
    """
    named = np.zeros(len(trace), dtype=bool)
    for part in ranges:
        inside = part.contains(trace.chain_ids, trace.resids)
        if not inside.any():
            raise InputError(
                f"{option} {part}: no such residues",
                f"latcpb inspect lists chains and numbers; there are chains {list_chains(trace)}",
            )
        named |= inside
    return named


def list_chains(trace: CGTrace) -> str:
    """List the chain identifiers, or the first of them."""
    return ", ".join(sorted({str(chain) or "(blank)" for chain in trace.chain_ids})[:8])
