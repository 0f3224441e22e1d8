"""Methods are compared on common chains, and formatted as Markdown."""

from __future__ import annotations

import json

import pytest
from peptides import structure
from report import Column, markdown, sections
from tables import compare
from workers import Cost

SEQUENCES = {"m": "MKTAYI", "g": "GAVLIFWY", "d": "DERKHSTNQC"}
RESIDUES = {number: len(sequence) for number, sequence in SEQUENCES.items()}


def column(name, chains, seconds=2.0, failures=None):
    natives = {number: structure(SEQUENCES[number]) for number in chains}
    return Column(
        name,
        f"The {name}",
        {number: compare(native, native) for number, native in natives.items()},
        {number: (Cost(seconds, 1.0, 0.5, 10.0 * RESIDUES[number], 1),) for number in chains},
        failures or {},
    )


def test_one_table_where_every_method_has_every_chain():
    (table,) = sections([column("a", SEQUENCES), column("b", SEQUENCES)], RESIDUES)
    assert (table["structures"], table["residues"]) == (3, 24)
    assert list(table["methods"]) == ["a", "b"]


def test_a_method_with_fewer_chains_is_compared_on_the_common_ones_only():
    slow = column("slow", ["m", "g"])
    whole, common = sections([column("a", SEQUENCES), slow], RESIDUES)
    assert list(whole["methods"]) == ["a"]
    assert list(common["methods"]) == ["a", "slow"]
    assert (common["structures"], common["residues"]) == (2, 14)
    assert {numbers["structures"] for numbers in common["methods"].values()} == {2}


def test_a_failure_keeps_its_method_in_the_table_with_the_chains_it_has():
    failing = column("b", ["m", "d"], failures={"g": "too hard"})
    whole, common = sections([column("a", SEQUENCES), failing], RESIDUES)
    assert {name: numbers["structures"] for name, numbers in whole["methods"].items()} == {"a": 3, "b": 2}
    assert common["structures"] == 2


def test_a_method_without_any_chain_is_listed_among_the_failures():
    broken = Column("c", "The c", failures=dict.fromkeys(SEQUENCES, "cannot be installed"))
    columns = [column("a", SEQUENCES), broken]
    tables = sections(columns, RESIDUES)
    assert [list(table["methods"]) for table in tables] == [["a"]]
    assert "- The c, 3 structures (m, g, d): cannot be installed" in markdown({}, tables, columns)


def test_speed_counts_every_program_of_a_method():
    one = column("a", SEQUENCES)
    one.costs = {number: costs * 2 for number, costs in one.costs.items()}
    numbers = one.figures(["m", "g"])
    assert numbers["residues_per_second"] == pytest.approx(14 / 8.0)
    assert numbers["residues_per_cpu_second"] == pytest.approx(14 / 4.0)
    assert numbers["load_seconds"] == 1.0
    assert numbers["peak_mb"] == 80.0


def test_markdown_has_a_column_for_each_method_and_no_empty_row():
    native = Column("native", "native", column("native", SEQUENCES).comparisons)
    columns = [column("a", SEQUENCES), native]
    tables = sections(columns, RESIDUES)
    text = markdown({"split": "valid", "threads": 2}, tables, columns)
    lines = text.splitlines()
    assert lines[0] == "split valid · threads 2"
    assert "### Every structure: 3 structures, 24 residues" in lines
    assert "|  | The a | native |" in lines
    assert "| RMSD all heavy atoms, Å | 0.00 ± 0.00 | 0.00 ± 0.00 |" in lines
    assert "| residues per second | 4 | – |" in lines
    assert not any("DIV" in line or "diversity" in line for line in lines)
    assert {line.count("|") for line in lines if line.startswith("|")} == {4}


def test_tables_can_be_stored():
    (table,) = sections([column("a", SEQUENCES)], RESIDUES)
    stored = json.loads(json.dumps(table))
    assert stored["residues"] == 24
    assert stored["methods"]["a"]["intervals"]["chi1"] == [100.0, 100.0]
