"""GSD files."""

from __future__ import annotations

import pytest
from cg_formats import BOX, SEQUENCE, STRUCTURE_WRITERS

from latcpb_cli.io.open_source import open_source


def test_bonds_separate_chains(tmp_path, positions):
    hoomd = pytest.importorskip("gsd.hoomd")
    path = STRUCTURE_WRITERS["gsd"](tmp_path, SEQUENCE, positions[:1], BOX)
    with hoomd.open(str(path), "r") as old:
        frame = old[0]
    pairs = [(i, i + 1) for i in range(12) if i != 5]
    frame.bonds.N, frame.bonds.types, frame.bonds.group = len(pairs), ["b"], pairs
    frame.bonds.typeid = [0] * len(pairs)
    with hoomd.open(str(tmp_path / "b.gsd"), "w") as out:
        out.append(frame)
    assert open_source([tmp_path / "b.gsd"]).trace.chain_index.tolist() == [0] * 6 + [1] * 7
