"""Where one chain ends and the next begins."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import pdb_line, walk, write_ca_pdb, write_gro

from latcpb_cli.io.open_source import open_source


def test_stretched_bond_starts_no_chain(tmp_path):
    """Bead models stretch bonds past 4.5 Å; that is a break in one frame, not a chain end."""
    xyz = walk(10)[0]
    xyz[5:] += np.array([1.2, 0, 0], dtype=np.float32)
    source = open_source([write_gro(tmp_path / "a.gro", "ACDEFGHIKL", xyz)])
    assert source.trace.chain_index.max() == 0


def test_missing_loop_starts_no_chain(tmp_path):
    xyz = walk(10)
    xyz[:, 5:] += 15.0
    path = write_ca_pdb(
        tmp_path / "a.pdb", "ACDEFGHIKL", xyz, chains=" " * 10, resids=[1, 2, 3, 4, 5, 20, 21, 22, 23, 24]
    )
    assert open_source([path]).trace.chain_index.max() == 0


@pytest.mark.parametrize(
    "options",
    [
        {"chains": " " * 10, "ter_after": [4]},
        {"chains": " " * 10, "resids": [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]},
        {"chains": "AAAAABBBBB"},
        {"chains": "AAAAABBBBB", "resids": [5001, 5002, 5003, 5004, 5005, 1, 2, 3, 4, 5]},
    ],
    ids=["TER", "numbers that start again", "chain ids", "numbers falling by thousands"],
)
def test_marks_of_a_chain_end(tmp_path, options):
    path = write_ca_pdb(tmp_path / "a.pdb", "ACDEFGHIKL", walk(10), **options)
    trace = open_source([path]).trace
    assert trace.chain_index.tolist() == [0] * 5 + [1] * 5
    if "resids" in options:
        assert trace.resids.tolist() == options["resids"]


def test_segments_end_chains(tmp_path):
    xyz = walk(4)[0]
    lines = [
        pdb_line(i + 1, "ALA", i + 1, xyz[i], chain=" ", segment="PA" if i < 2 else "PB") for i in range(4)
    ]
    path = tmp_path / "a.pdb"
    path.write_text("\n".join([*lines, "END", ""]))
    assert open_source([path]).trace.chain_index.tolist() == [0, 0, 1, 1]


def test_repeated_residue_numbers_are_replaced(tmp_path):
    path = write_ca_pdb(tmp_path / "a.pdb", "ACDE", walk(4), resids=[1, 1, 1, 1])
    source = open_source([path])
    assert source.trace.resids.tolist() == [1, 2, 3, 4]
    assert "numbered from 1" in source.notes[0]
