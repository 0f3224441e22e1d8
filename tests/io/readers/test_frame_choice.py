"""Frames chosen by number or by time."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import write_ca_pdb, write_trajectory
from reading import read_all, refuse

from latcpb_cli.errors import UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import FrameWindow, ReadOptions


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


def write_parts(folder, positions, suffix: str, times: list[list[float]]) -> list:
    """Write one file for each list of times (ps), with the first of these positions as frames."""
    import MDAnalysis

    paths = [folder / f"part{number}{suffix}" for number in range(1, len(times) + 1)]
    for path, part in zip(paths, times, strict=True):
        universe = MDAnalysis.Universe.empty(len(positions[0]), trajectory=True)
        with MDAnalysis.Writer(str(path), len(positions[0])) as writer:
            for frame, time in zip(positions, part, strict=False):
                universe.atoms.positions = frame
                universe.trajectory.ts.time = time
                writer.write(universe.atoms)
    return paths


def parts(folder, positions, suffix: str, second_start: float) -> list:
    """Two files of six frames each, every 10 ps."""
    times = [[start + 10.0 * n for n in range(6)] for start in (0.0, second_start)]
    return write_parts(folder, positions, suffix, times)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".xtc", ".trr"])
@pytest.mark.parametrize(
    ("second_start", "kept"),
    [(40.0, [0, 1, 2, 3]), (50.0, [0, 1, 2, 3, 4]), (35.0, [0, 1, 2, 3]), (0.0, [])],
    ids=["two frames repeat", "one frame repeats", "times fall between", "all repeat"],
)
def test_overlapping_parts(tmp_path, ca_pdb, positions, suffix, second_start, kept):
    paths = parts(tmp_path, positions, suffix, second_start)
    source = open_source(paths, ca_pdb)
    assert source.n_frames == 12
    warning = f"times repeat or fall: part2{suffix} has {second_start:g} ps after 50 ps; "
    assert [text.startswith(warning) for text in source.warnings] == [True]
    source = open_source(paths, ca_pdb, ReadOptions(drop_repeated_times=True))
    assert source.frames.tolist() == [*kept, *range(6, 12)]
    assert source.warnings == () and source.notes[0].startswith("left out, their times come again: ")
    assert np.all(np.diff(read_all(source)[1]) > 0)


RESTARTS = {
    "three parts": ([[0, 10, 20], [20, 30, 40], [40, 50]], [0, 1, 3, 4, 6, 7]),
    "a part within another": ([[0, 10, 20, 30], [10, 20], [40]], [0, 4, 5, 6]),
    "started again twice": ([[0, 10, 20], [10, 20, 30], [20, 30]], [0, 3, 6, 7]),
    "the whole run again": ([[0, 10, 20], [0, 10, 20]], [3, 4, 5]),
    "an older part last": ([[30, 40], [0, 10, 20]], [2, 3, 4]),
    "one frame each": ([[0], [0], [10], [10]], [1, 3]),
    "repeated within a file": ([[0, 10, 10, 20]], [0, 2, 3]),
    "falling within a file": ([[0, 10, 20, 5, 15]], [0, 3, 4]),
    "another interval": ([[0, 10, 20, 30], [15, 20, 25, 30]], [0, 1, 4, 5, 6, 7]),
    "negative times": ([[-20, -10, 0], [-10, 0, 10]], [0, 3, 4, 5]),
    "all at zero": ([[0, 0, 0], [0]], [3]),
    "times that differ by rounding": ([[0, 0.1, 0.2], [0.2 + 1e-7, 0.3]], [0, 1, 3, 4]),
}  # fmt: skip
"""Times of the frames of each part, and the frames that are left without repeated times."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".xtc", ".trr"])
@pytest.mark.parametrize("name", RESTARTS)
def test_later_frames_replace_earlier_ones(tmp_path, ca_pdb, positions, name, suffix):
    times, kept = RESTARTS[name]
    paths = write_parts(tmp_path, positions, suffix, times)
    assert open_source(paths, ca_pdb).warnings[0].startswith("times repeat or fall: ")
    source = open_source(paths, ca_pdb, ReadOptions(drop_repeated_times=True))
    assert source.frames.tolist() == kept
    assert np.all(np.diff(read_all(source)[1]) > 0)


@pytest.mark.filterwarnings("ignore")
def test_times_that_do_not_overlap(tmp_path, ca_pdb, positions):
    paths = parts(tmp_path, positions, ".xtc", 60.0)
    assert open_source(paths, ca_pdb).warnings == ()
    assert open_source(paths, ca_pdb, ReadOptions(drop_repeated_times=True)).n_frames == 12
    overlapping = parts(tmp_path, positions, ".xtc", 40.0)
    assert open_source(overlapping, ca_pdb, ReadOptions(window=FrameWindow(frames=":6"))).warnings == ()


def test_files_without_times_have_none_to_drop(tmp_path, sequence, positions):
    path = write_ca_pdb(tmp_path / "a.pdb", sequence, positions)
    assert open_source([path, path]).warnings == ()
    refuse("a.pdb: it holds no times", [path], drop_repeated_times=True)


@pytest.mark.parametrize(
    "options", [{"frames": "a:b"}, {"frames": "1:2:-1"}, {"frames": "1", "stride": 2}, {"stride": 0}]
)
def test_impossible_windows(options):
    with pytest.raises(UsageError):
        FrameWindow(**options)
