"""Residues that a file lists apart from their chain, and labels that contradict bonded Cα."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from cg_files import pdb_line, walk
from odd_files import SEQUENCE, atoms, pdb

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions

LINES = atoms()
FAR = [pdb_line(50 + i, "ALA", i + 1, (60 + 3.8 * i, 60, 60), chain="B") for i in range(3)]
APART = walk(10)[0] + np.where(np.arange(10) < 6, 0.0, 30.0)[:, None].astype(np.float32)


def renamed(line: str, name: str) -> str:
    """Give one atom line another residue name, as HETATM."""
    return "HETATM" + line[6:17] + name + line[20:]


def numbered(numbers: list[int], **columns: Any) -> list[str]:
    return atoms(resids=numbers, **columns)


PERMUTED = [8, 9, 10, 11, 1, 2, 3, 4, 5, 6]
MSE = [renamed(line, "MSE") for line in LINES]
SEP = [renamed(line, "SEP") for line in LINES]


@dataclass(frozen=True)
class Case:
    """A file, what it is read as (chains divided by "/"), and a part of a note."""

    text: str
    chains: str
    note: str = ""
    resids: list[int] | None = None
    options: dict[str, Any] = field(default_factory=dict)


CASES = {
    "a number that falls": Case(
        pdb(numbered([230, 231, 1002, 1003, 1004, 263, 264, 265, 266, 267])),
        SEQUENCE,
        "one chain across A:PHE1004 and A:GLY263",
        [230, 231, 1002, 1003, 1004, 263, 264, 265, 266, 267],
    ),
    "numbers that fall twice": Case(pdb(numbered([8, 9, 4, 5, 6, 7, 1, 2, 3, 10])), SEQUENCE, "and A:HIS1"),
    "a number that falls, without chain id": Case(
        pdb(numbered([18, 19, 20, 4, 5, 6, 7, 8, 9, 10], chains=" " * 10)), SEQUENCE, "one chain across ASP20"
    ),
    "numbers that wrap at 99": Case(
        pdb(numbered([97, 98, 99, 0, 1, 2, 3, 4, 5, 6])), SEQUENCE, "one chain across A:ASP99 and A:GLU0"
    ),
    "numbers that wrap and repeat": Case(
        pdb(numbered([0, 1, 2, 3, 4, 0, 1, 2, 3, 4])), SEQUENCE, "numbered from 1", list(range(1, 11))
    ),
    "hexadecimal numbers": Case(
        pdb([line[:22] + f"{9995 + i:4X}" + line[26:] for i, line in enumerate(LINES)]), SEQUENCE
    ),
    "a number that falls, not bonded": Case(
        pdb(numbered([11, 12, 13, 14, 15, 16, 1, 2, 3, 4], positions=APART)), "ACDEFG/HIKL"
    ),
    "a number that falls, labels decide": Case(
        pdb(numbered([8, 9, 10, 4, 5, 6, 7, 11, 12, 13])), "ACD/EFGHIKL", options={"chain_ends": "labels"}
    ),
    "two blocks": Case(pdb(LINES[:4], FAR, LINES[4:]), SEQUENCE + "/AAA", "several blocks"),
    "two blocks with numbers that fall": Case(
        pdb(numbered(PERMUTED)[:4], FAR, numbered(PERMUTED)[4:]),
        SEQUENCE + "/AAA",
        "several blocks",
    ),
    "two blocks, labels decide": Case(
        pdb(LINES[:4], FAR, LINES[4:]), "ACDE/AAA/FGHIKL", options={"chain_ends": "labels"}
    ),
    "TER before a modified residue": Case(
        pdb(LINES[:4], "TER", SEP[4], LINES[5:]), "ACDESGHIKL", "one chain across A:GLU4 and A:SEP5"
    ),
    "TER after a modified residue": Case(
        pdb(LINES[:4], MSE[4], "TER", LINES[5:]), "ACDEMGHIKL", "one chain across A:MSE5 and A:GLY6"
    ),
    "TER between standard residues": Case(
        pdb(LINES[:4], "TER", LINES[4:]), "ACDE/FGHIKL", "chains end between A:GLU4 and A:PHE5"
    ),
    "a modified residue at the end": Case(
        pdb(LINES[:4], LINES[5:], "TER", MSE[4]), "ACDEMGHIKL", "by number: A:MSE5", list(range(1, 11))
    ),
    "the first residue at the end": Case(
        pdb(LINES[1:], "TER", MSE[0]), "MCDEFGHIKL", "by number: A:MSE1", list(range(1, 11))
    ),
    "the last residue after other chains": Case(
        pdb(LINES[:9], "TER", FAR, "TER", MSE[9]), "ACDEFGHIKM/AAA", "by number: A:MSE10"
    ),
    "two neighbours at the end": Case(
        pdb(LINES[:3], LINES[5:], "TER", MSE[3], SEP[4]), "ACDMSGHIKL", "A:MSE4, A:SEP5"
    ),
    "several at the end": Case(
        pdb(LINES[1:4], LINES[5:], "TER", MSE[0], MSE[4]), "MCDEMGHIKL", "A:MSE1, A:MSE5"
    ),
    "one beside a missing loop": Case(
        pdb(LINES[:3], LINES[5:], "TER", MSE[4]), "ACDMGHIKL", "A:MSE5", [1, 2, 3, 5, 6, 7, 8, 9, 10]
    ),
    "one between two missing loops": Case(
        pdb(LINES[:3], LINES[6:], "TER", MSE[4]), "ACDMHIKL", "A:MSE5", [1, 2, 3, 5, 7, 8, 9, 10]
    ),
    "one that falls without TER": Case(
        pdb(LINES[:4], LINES[5:], MSE[4]), "ACDEMGHIKL", "by number: A:MSE5"
    ),
    "a number that is free, elsewhere": Case(
        pdb(LINES[:4], LINES[5:], "TER", pdb_line(90, "MSE", 5, (60, 60, 60))), "ACDEGHIKL/M"
    ),
    "a ligand with a number of its own": Case(
        pdb(LINES, "TER", pdb_line(90, "MSE", 301, (60, 60, 60))), SEQUENCE + "/M"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_chains(tmp_path, name):
    case = CASES[name]
    path = tmp_path / "odd.pdb"
    path.write_text(case.text)
    source = open_source([path], options=ReadOptions(**case.options))
    trace = source.trace
    bounds = np.flatnonzero(np.diff(trace.chain_index)) + 1
    assert "/".join("".join(part) for part in np.split(np.array(list(trace.sequence)), bounds)) == case.chains
    assert case.note in "; ".join(source.notes)
    assert bool(source.notes) == bool(case.note) or name == "hexadecimal numbers"
    if case.resids is not None:
        assert trace.resids.tolist() == case.resids
    steps = np.linalg.norm(np.diff(next(source.chunks(1)).positions[0], axis=0), axis=1)
    plain = trace.same_chain_as_next()[:-1] & (np.diff(trace.resids) == 1)
    np.testing.assert_allclose(steps[plain], 3.8, atol=0.02)


def test_a_wrapped_bond_across_numbers_that_jump_is_made_whole(tmp_path):
    numbers = [1, 2, 3, 1001, 1002, 500, 501, 502, 503, 504]
    positions = np.mod(walk(10)[0], 15.0)
    record = "CRYST1   15.000   15.000   15.000  90.00  90.00  90.00 P 1           1"
    path = tmp_path / "odd.pdb"
    path.write_text(pdb(record, numbered(numbers, positions=positions)))
    source = open_source([path])
    assert source.trace.chain_index.max() == 0
    steps = np.linalg.norm(np.diff(next(source.chunks(1)).positions[0], axis=0), axis=1)
    np.testing.assert_allclose(steps, 3.8, atol=0.02)
