"""Ranges of residues as a user writes them."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.errors import UsageError
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.residue_ranges import ResidueRange, parse_ranges


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("A:10-95", [("A", 10, 95)]),
        ("A:10-95, B:-3--1", [("A", 10, 95), ("B", -3, -1)]),
        ("7", [(None, 7, 7)]),
        ("-5-12,AB:3", [(None, -5, 12), ("AB", 3, 3)]),
    ],
)
def test_ranges_are_read(text: str, ranges: list[tuple[str | None, int, int]]) -> None:
    assert parse_ranges("--com-residues", text) == tuple(ResidueRange(*values) for values in ranges)


@pytest.mark.parametrize("text", ["", "A:", "A:x-3", "1-2-3", "A:1-5,,B:2", "A:9-3", "A 1-5"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--com-residues"):
        ReadOptions(com_residues=text)


def test_a_range_without_a_chain_holds_for_all() -> None:
    chains, numbers = np.array(["A", "A", "B"]), np.array([1, 2, 2])
    assert ResidueRange(None, 2, 3).contains(chains, numbers).tolist() == [False, True, True]
    assert ResidueRange("B", 1, 9).contains(chains, numbers).tolist() == [False, False, True]


@pytest.mark.parametrize("choice", ["ca", "com"])
def test_two_answers_to_one_question_are_refused(choice: str) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        ReadOptions(beads=choice, com_residues="1-5")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--cyclic needs"):
        ReadOptions(com_residues="1-5", cyclic=True)
