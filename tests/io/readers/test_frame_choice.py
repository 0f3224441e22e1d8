"""Frames chosen by number or by time."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import write_trajectory
from reading import read_all, refuse

from latcpb_cli.errors import UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import FrameWindow, ReadOptions


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (FrameWindow(frames="1:5:2"), [1, 3]),
        (FrameWindow(frames=":2"), [0, 1]),
        (FrameWindow(frames="-1"), [5]),
        (FrameWindow(frames="3"), [3]),
        (FrameWindow(stride=4), [0, 4]),
        (FrameWindow(begin=10.0, end=30.0), [1, 2, 3]),
        (FrameWindow(begin=10.0, end=40.0, stride=2), [1, 3]),
    ],
)
@pytest.mark.parametrize("suffix", [".xtc", ".dcd"])
def test_chosen_frames(tmp_path, ca_pdb, positions, suffix, window, expected):
    path = write_trajectory(tmp_path / f"t{suffix}", positions)
    source = open_source([path], ca_pdb, ReadOptions(window=window))
    xyz, times, _, indices = read_all(source)
    assert indices.tolist() == expected
    np.testing.assert_allclose(xyz, positions[expected], atol=0.006)
    np.testing.assert_allclose(times, 10.0 * np.array(expected), rtol=1e-5)


def test_no_frame_is_left(tmp_path, ca_pdb, positions):
    path = write_trajectory(tmp_path / "t.xtc", positions)
    error = refuse("no frame is left", [path], ca_pdb, window=FrameWindow(begin=1000.0))
    assert "0 to 50 ps" in error.hint


@pytest.mark.parametrize(
    "options", [{"frames": "a:b"}, {"frames": "1:2:-1"}, {"frames": "1", "stride": 2}, {"stride": 0}]
)
def test_impossible_windows(options):
    with pytest.raises(UsageError):
        FrameWindow(**options)
