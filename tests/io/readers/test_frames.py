"""Binary trajectories, one or several, whole or cut."""

from __future__ import annotations

import os

import numpy as np
import pytest
from cg_files import write_trajectory
from reading import read_all, refuse

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import FrameWindow, ReadOptions

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize("suffix", [".xtc", ".trr", ".dcd"])
def test_positions_times_and_boxes(tmp_path, ca_pdb, positions, suffix):
    path = write_trajectory(tmp_path / f"t{suffix}", positions, box=[120, 130, 140, 90, 90, 90])
    source = open_source([path], ca_pdb)
    assert source.n_frames == 6
    assert source.interval == pytest.approx(10.0, rel=1e-5)
    xyz, times, boxes, indices = read_all(source, 4)
    np.testing.assert_allclose(xyz, positions, atol=0.006 if suffix == ".xtc" else 1e-4)
    np.testing.assert_allclose(times, 10.0 * np.arange(6), rtol=1e-5)
    np.testing.assert_allclose(boxes, np.tile([120, 130, 140, 90, 90, 90], (6, 1)), rtol=1e-6)
    assert indices.tolist() == list(range(6))


@pytest.mark.parametrize("suffix", [".xtc", ".trr", ".dcd"])
def test_reading_leaves_nothing_behind(tmp_path, ca_pdb, positions, suffix):
    folder = tmp_path / "input"
    folder.mkdir()
    path = write_trajectory(folder / f"t{suffix}", positions)
    read_all(open_source([path], ca_pdb))
    assert [entry.name for entry in folder.iterdir()] == [path.name]


def test_several_files_are_one_trajectory(tmp_path, ca_pdb, positions):
    first = write_trajectory(tmp_path / "a.xtc", positions[:4])
    second = write_trajectory(tmp_path / "b.dcd", positions[4:])
    xyz, _, _, indices = read_all(open_source([first, second], ca_pdb), 3)
    np.testing.assert_allclose(xyz, positions, atol=0.006)
    assert indices.tolist() == list(range(6))


@pytest.mark.parametrize("suffix", [".xtc", ".dcd", ".trr"])
@pytest.mark.parametrize("n_cut_bytes", [7, 150])
def test_truncated_trajectory(tmp_path, ca_pdb, positions, suffix, n_cut_bytes):
    path = write_trajectory(tmp_path / f"t{suffix}", positions)
    os.truncate(path, path.stat().st_size - n_cut_bytes)
    error = refuse("truncated after [45] whole frames", [path], ca_pdb)
    whole = int(error.hint.rsplit(":", 1)[1])
    source = open_source([path], ca_pdb, ReadOptions(window=FrameWindow(frames=f"0:{whole}")))
    np.testing.assert_allclose(read_all(source)[0], positions[:whole], atol=0.006)


def test_truncated_in_the_first_frame(tmp_path, ca_pdb, positions):
    for suffix in (".xtc", ".dcd", ".trr"):
        path = write_trajectory(tmp_path / f"t{suffix}", positions[:1])
        os.truncate(path, path.stat().st_size - 10)
        refuse(f"t{suffix}", [path], ca_pdb)
