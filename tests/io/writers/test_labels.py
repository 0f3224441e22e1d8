"""Chain identifiers and residue numbers that a format can hold, and what becomes of the others."""

from __future__ import annotations

import numpy as np
import pytest
from written import make_trace, write_frames

from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.writers.labels import (
    CHAIN_LETTERS,
    RenamedChain,
    cif_chain_names,
    first_lost_number,
    pdb_chain_letters,
    renamed_chains,
)
from latcpb_cli.structure import CGTrace


def system(*chains: tuple[str, list[int]]) -> CGTrace:
    resids = [number for _, numbers in chains for number in numbers]
    index = [k for k, (_, numbers) in enumerate(chains) for _ in numbers]
    ids = [name for name, numbers in chains for _ in numbers]
    return make_trace("G" * len(ids), ids, resids=resids, chain_index=index)


@pytest.mark.parametrize(
    ("chains", "letters"),
    [
        ([("", [1, 2])], [" "]),
        ([("", [1]), ("", [1]), ("", [1])], ["A", "B", "C"]),
        ([("B", [1]), ("", [1]), ("", [1])], ["B", "A", "C"]),
        ([("X", [1]), ("X", [2])], ["X", "X"]),
        ([("A", [1, 2]), ("A", [1, 2])], ["A", "B"]),
        ([("A", [1, 2]), ("A", [10_001, 10_002])], ["A", "B"]),
        ([("PROA", [1]), ("PROB", [1])], ["A", "B"]),
        ([("é", [1]), ("\ufffd", [1]), ("*", [1])], ["A", "B", "*"]),
    ],
)
def test_letters_in_pdb(chains, letters):
    assert pdb_chain_letters(system(*chains)) == letters


def test_letters_come_again_after_the_last():
    many = system(*[(f"c{number}", [1]) for number in range(70)])
    assert pdb_chain_letters(many) == [*CHAIN_LETTERS, *CHAIN_LETTERS[:8]]


def test_names_in_mmcif_are_kept_or_free():
    names = cif_chain_names(make_trace("AAAAA", ["", "A", "B", "A", ""], resids=[1] * 5))
    assert names[1:3] == ["A", "B"]
    assert len(set(names)) == 5 and all(names)


def test_renamed_chains():
    trace = system(("heavy", [1, 2]), ("H", [1]), ("", [7]))
    assert renamed_chains(trace, ["A", "H", "B"]) == [RenamedChain("A", "heavy", "heavy:GLY1", "heavy:GLY2")]


@pytest.mark.parametrize(
    ("chains", "lost"),
    [
        ([("A", [9998, 9999, 10_000]), ("B", [1])], None),
        ([("A", [-2, 9999, 10_001, 19_999, 20_000])], None),
        ([("A", [9998, 10_000])], 1),
        ([("A", [1]), ("B", [10_001])], 1),
        ([("A", [9999]), ("B", [0, 1])], None),
        ([("A", [9999, 10_000, 10_001, 263])], 3),
    ],
)
def test_numbers_that_can_be_counted_back(chains, lost):
    assert first_lost_number(system(*chains)) == lost


@pytest.mark.parametrize("name", ["a.pdb", "a.cif"])
def test_wrapped_numbers_are_read_again(tmp_path, name):
    trace = system(("A", [9998, 9999, 10_000, 10_001]), ("B", [9999, 10_000, 10_001]))
    write_frames(tmp_path / name, trace, n_frames=1, samples=1)
    back = open_source([tmp_path / name]).trace
    for column in ("chain_ids", "chain_index", "resids"):
        np.testing.assert_array_equal(getattr(back, column), getattr(trace, column))
    if name == "a.pdb":
        lines = (tmp_path / name).read_text().splitlines()
        numbers = [line[22:26] for line in lines if line[12:16] == " CA " and line[21] == "A"]
        assert numbers == ["9998", "9999", "   0", "   1"]


def test_chains_with_long_names_are_read_again_under_their_letters(tmp_path):
    trace = system(("heavy", [1, 2]), ("B", [1, 2]), ("light", [1, 2]))
    write_frames(tmp_path / "a.pdb", trace, n_frames=1, samples=1)
    back = open_source([tmp_path / "a.pdb"]).trace
    assert back.chain_ids.tolist() == ["A", "A", "B", "B", "C", "C"]
    np.testing.assert_array_equal(back.chain_index, trace.chain_index)
    remarks = [line for line in (tmp_path / "a.pdb").read_text().splitlines() if line.startswith("REMARK")]
    assert remarks[:3] == [
        "REMARK 999 RENAMED CHAINS, WITH THE RESIDUES OF THE INPUT:",
        "REMARK 999 CHAIN A: heavy:GLY1 TO heavy:GLY2",
        "REMARK 999 CHAIN C: light:GLY1 TO light:GLY2",
    ]
