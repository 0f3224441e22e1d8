"""Topology, trajectory and selection together."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from cg_files import walk, write_all_atom_pdb, write_ca_pdb, write_trajectory
from reading import read_all, refuse

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


def test_selection(tmp_path, positions, sequence):
    path = write_ca_pdb(tmp_path / "a.pdb", sequence, positions[:1], chains="A" * 6 + "B" * 7)
    source = open_source([path], options=ReadOptions(selection="chainID B and not resname HIS"))
    assert source.trace.sequence == "PLKCDE"
    with pytest.raises(UsageError, match="not understood"):
        open_source([path], options=ReadOptions(selection="chain of fools"))
    with pytest.raises(InputError, match="selects nothing"):
        open_source([path], options=ReadOptions(selection="chainID Z"))


def test_trajectory_of_the_beads_of_an_all_atom_topology(tmp_path):
    top = write_all_atom_pdb(tmp_path / "a.pdb")
    xyz = walk(2, 3)
    source = open_source([write_trajectory(tmp_path / "t.dcd", xyz)], top)
    np.testing.assert_allclose(read_all(source)[0], xyz, atol=1e-5)


def test_trajectory_without_topology(tmp_path, positions):
    path = write_trajectory(tmp_path / "t.xtc", positions)
    assert "--top" in refuse("does not name the residues", [path]).hint


def test_another_atom_count(tmp_path, ca_pdb):
    path = write_trajectory(tmp_path / "t.xtc", walk(20, 2))
    error = refuse("t.xtc: 20 atoms, but .*cg.pdb has 13", [path], ca_pdb)
    assert "topology" in error.hint


@pytest.mark.parametrize("name", ["a.pdb", "a.gro", "a.cif", "a.xtc", "a.dcd", "a.trr", "a.nc"])
def test_garbage(tmp_path, ca_pdb, name):
    (tmp_path / name).write_bytes(b"\x00\xffgarbage\n" * 50)
    error = refuse(name, [tmp_path / name], ca_pdb)
    assert error.message.startswith(str(tmp_path / name))


def test_unknown_format(tmp_path):
    (tmp_path / "a.docx").write_text("x")
    error = refuse("unknown format '.docx'", [tmp_path / "a.docx"])
    assert ".xtc" in error.hint


def test_read_only_folder(tmp_path, ca_pdb, positions):
    folder = tmp_path / "locked"
    folder.mkdir()
    path = shutil.move(write_trajectory(tmp_path / "t.xtc", positions), folder / "t.xtc")
    folder.chmod(0o555)
    try:
        assert open_source([Path(path)], ca_pdb).n_frames == 6
    finally:
        folder.chmod(0o755)
