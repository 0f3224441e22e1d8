"""GRO files."""

from __future__ import annotations

import numpy as np
from cg_files import walk, write_gro
from reading import read_all, refuse

from latcpb_cli.io.open_source import open_source


def test_units_and_chains_without_names(tmp_path):
    xyz = walk(10)[0]
    xyz[5:] += 40.0
    path = write_gro(tmp_path / "a.gro", "ACDEFGHIKL", xyz, box=(300, 300, 300))
    source = open_source([path])
    np.testing.assert_allclose(read_all(source)[0][0], xyz, atol=0.006)
    assert source.trace.chain_index.tolist() == [0] * 5 + [1] * 5
    assert "2 chains" in source.notes[0]


def test_truncated_file(tmp_path, sequence, positions):
    path = write_gro(tmp_path / "a.gro", sequence, positions[0])
    path.write_text("\n".join(path.read_text().splitlines()[:-4]) + "\n")
    refuse("cannot be read", [path])
