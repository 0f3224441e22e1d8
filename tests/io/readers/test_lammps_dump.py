"""LAMMPS dumps: coordinate columns and tilted boxes."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import write_ca_pdb
from cg_formats import BOX, SEQUENCE, assert_beads

from latcpb_cli.io.open_source import open_source


@pytest.mark.parametrize(
    ("columns", "value"),
    [
        ("xs ys zs", lambda xyz: xyz / BOX),
        ("xu yu zu", lambda xyz: xyz),
        ("x y z ix iy iz", lambda xyz: [*xyz, 0, 0, 0]),
    ],
)
def test_coordinate_columns(tmp_path, positions, columns, value):
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    lines = ["ITEM: TIMESTEP", "5", "ITEM: NUMBER OF ATOMS", "13", "ITEM: BOX BOUNDS pp pp pp"]
    lines += [*[f"0 {edge}" for edge in BOX], f"ITEM: ATOMS id element {columns}"]
    lines += [f"{i + 1} C " + " ".join(f"{x:.6f}" for x in value(xyz)) for i, xyz in enumerate(positions[0])]
    path = tmp_path / "t.dump"
    path.write_text("\n".join([*lines, ""]))
    assert_beads(open_source([path], top), positions[:1])


def test_tilted_boxes(tmp_path, positions):
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    head = "ITEM: TIMESTEP\n5\nITEM: NUMBER OF ATOMS\n13\nITEM: BOX BOUNDS xy xz yz pp pp pp\n"
    # The bounds of a tilted box enclose all of it: 80 Å wide, tilted by 20 Å in y.
    head += "0 100 20\n0 80 0\n0 80 0\nITEM: ATOMS id x y z\n"
    rows = [f"{i + 1} " + " ".join(f"{x:.3f}" for x in xyz) for i, xyz in enumerate(positions[0])]
    (tmp_path / "t.dump").write_text(head + "\n".join([*rows, ""]))
    box = next(open_source([tmp_path / "t.dump"], top).chunks(1)).boxes[0]
    np.testing.assert_allclose(
        box, [80, np.hypot(80, 20), 80, 90, 90, np.degrees(np.arctan2(80, 20))], rtol=1e-5
    )
