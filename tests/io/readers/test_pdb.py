"""PDB files: labels, models, columns, and what is wrong with them."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import write_ca_pdb
from reading import read_all, refuse

from latcpb_cli.io.open_source import open_source


def test_labels(tmp_path, positions, sequence):
    path = write_ca_pdb(
        tmp_path / "a.pdb",
        sequence,
        positions[:1],
        chains="A" * 6 + "B" * 7,
        resids=[-1, 0, 1, 1, 1, 2, *range(50, 57)],
        icodes=["", "", "", "A", "B", "", *[""] * 7],
        box=(80, 90, 100, 90, 90, 90),
    )
    source = open_source([path])
    trace = source.trace
    assert trace.sequence == sequence
    assert "".join(trace.chain_ids) == "A" * 6 + "B" * 7
    assert trace.resids.tolist() == [-1, 0, 1, 1, 1, 2, *range(50, 57)]
    assert trace.icodes.tolist()[2:5] == ["", "A", "B"]
    assert trace.chain_index.tolist() == [0] * 6 + [1] * 7
    xyz, _, boxes, _ = read_all(source)
    np.testing.assert_array_equal(xyz, positions[:1])
    np.testing.assert_allclose(boxes, [[80, 90, 100, 90, 90, 90]])


@pytest.mark.parametrize("separator", ["MODEL", "END"])
def test_models_are_frames(tmp_path, positions, sequence, separator):
    path = write_ca_pdb(tmp_path / "a.pdb", sequence, positions, separator=separator)
    source = open_source([path])
    xyz, times, boxes, indices = read_all(source)
    np.testing.assert_array_equal(xyz, positions)
    assert times.tolist() == indices.tolist() == list(range(6))
    assert not boxes.any()


def test_coordinate_fields_that_touch(tmp_path):
    line = np.stack([np.zeros(5), np.zeros(5), -446.5 + 3.8 * np.arange(5)], axis=1)[None]
    path = write_ca_pdb(tmp_path / "line.pdb", "AAAAA", line)
    assert "0.000-446.500" in path.read_text()
    np.testing.assert_allclose(read_all(open_source([path]))[0], line, atol=1e-3)


def test_truncated_files(tmp_path, sequence, positions):
    one = write_ca_pdb(tmp_path / "one.pdb", sequence, positions[:1])
    one.write_text(one.read_text()[:-60])
    refuse("cut short in line 13", [one])
    many = write_ca_pdb(tmp_path / "many.pdb", sequence, positions)
    many.write_text("\n".join(many.read_text().splitlines()[:-6]) + "\n")
    refuse("truncated after 5 whole frames", [many])


def test_models_of_different_sizes(tmp_path, sequence, positions):
    path = write_ca_pdb(tmp_path / "a.pdb", sequence, positions)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:20] + lines[21:]))
    refuse("frame 1 has 12 atoms", [path])


def test_bad_columns(tmp_path, ca_pdb):
    lines = ca_pdb.read_text().splitlines()
    lines[4] = lines[4][:30] + "  ******" + lines[4][38:]
    ca_pdb.write_text("\n".join(lines))
    refuse("line 5: no coordinates", [ca_pdb])
