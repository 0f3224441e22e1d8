"""Which atoms are beads, and of which amino acids."""

from __future__ import annotations

import numpy as np
from cg_files import pdb_line, walk, write_all_atom_pdb, write_ca_pdb
from reading import read_all, refuse

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions


def test_one_letter_names_and_any_bead_name(tmp_path):
    xyz = walk(3)[0]
    lines = [pdb_line(i + 1, "AGW"[i], i + 1, xyz[i], name="B") for i in range(3)]
    path = tmp_path / "a.pdb"
    path.write_text("\n".join([*lines, "END", ""]))
    assert open_source([path]).trace.sequence == "AGW"


def test_all_atom_input_gives_its_ca(tmp_path):
    source = open_source([write_all_atom_pdb(tmp_path / "a.pdb")])
    assert source.trace.sequence == "AH"
    np.testing.assert_allclose(read_all(source)[0][0], [[1.4, 0, 0], [4.1, 2.6, 0]], atol=1e-5)
    assert source.left_out == {"HOH": 2, "CA": 1}
    assert source.renamed == {("HSD", "HIS"): 1}


def test_no_beads(tmp_path):
    xyz = walk(4)[0]
    lines = [pdb_line(i + 1, "ALA", i // 2 + 1, xyz[i], name=f"X{i % 2}") for i in range(4)]
    path = tmp_path / "a.pdb"
    path.write_text("\n".join(lines))
    refuse("no Cα beads", [path])


def test_unknown_residues(tmp_path):
    path = write_ca_pdb(tmp_path / "a.pdb", "AAAAA", walk(5), resnames=["ALA", "HYP", "GLY", "HYP", "XYZ"])
    error = refuse(r"HYP \(2\), XYZ \(1\)", [path])
    assert "--selection 'not resname HYP XYZ'" in error.hint
    assert open_source([path], options=ReadOptions(selection="not resname HYP XYZ")).trace.sequence == "AG"
