"""GSD files."""

from __future__ import annotations

import numpy as np
import pytest
from cg_formats import BOX, SEQUENCE, STRUCTURE_WRITERS

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions


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


def test_lengths_in_nm_are_recognised(tmp_path, positions):
    pytest.importorskip("gsd.hoomd")
    path = STRUCTURE_WRITERS["gsd"](tmp_path, SEQUENCE, positions / 10, BOX / 10)
    source = open_source([path])
    chunk = next(source.chunks(6))
    np.testing.assert_allclose(chunk.positions, positions, atol=1e-4)
    np.testing.assert_allclose(chunk.boxes[0, :3], BOX, rtol=1e-6)
    assert source.notes == ("lengths in cg.gsd are read as nm",)
    scaled = open_source([path], options=ReadOptions(scale=10.0))
    np.testing.assert_array_equal(next(scaled.chunks(6)).positions, chunk.positions)
    assert scaled.notes == ()
