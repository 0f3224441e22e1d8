"""Python writes what the command writes."""

from __future__ import annotations

import MDAnalysis
import pytest

import latcpb_cli as latcpb
from latcpb_cli.cli.app import main


@pytest.fixture(scope="module")
def model():
    """The shipped weights."""
    return latcpb.Backmapper.from_pretrained(device="cpu")


@pytest.fixture(scope="module")
def command(files, tmp_path_factory):
    """What the command writes, by file name."""
    folder = tmp_path_factory.mktemp("command")
    for name in ("a.xtc", "b.pdb"):
        with pytest.raises(SystemExit) as caught:
            main(
                ["backmap", *map(str, (files.trajectory, "--top", files.top, "-o", folder / name)), "--quiet"]
            )
        assert not caught.value.code
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def without_remarks(text: bytes) -> list[bytes]:
    return [line for line in text.splitlines() if not line.startswith(b"REMARK")]


def test_a_universe_gives_the_bytes_of_the_command(model, files, command, tmp_path):
    universe = MDAnalysis.Universe(str(files.top), str(files.trajectory), to_guess=())
    universe.trajectory[1]
    result = model.backmap(universe)
    assert universe.trajectory.frame == 1
    written = result.write(tmp_path / "a.xtc", report=True)
    assert [path.name for path in written] == ["a.xtc", "a.top.pdb", "a.report.json", "a.report.csv"]
    assert (tmp_path / "a.xtc").read_bytes() == command["a.xtc"]
    assert (tmp_path / "a.report.csv").read_bytes() == command["a.report.csv"]
    topology = (tmp_path / "a.top.pdb").read_bytes()
    assert b"SSBOND" in topology and b"SEP" in topology
    assert without_remarks(topology) == without_remarks(command["a.top.pdb"])
    assert result.report.problems.keys() == {2}


def test_files_give_the_bytes_of_the_command(model, files, command, tmp_path):
    """With the remarks, since the inputs are the same."""
    model.backmap(files.trajectory, top=files.top).write(tmp_path / "b.pdb", report=True)
    assert (tmp_path / "b.pdb").read_bytes() == command["b.pdb"]
    assert (tmp_path / "b.report.csv").read_bytes() == command["b.report.csv"]


def test_frames_of_a_stream_are_those_of_the_whole(model, files):
    whole = model.backmap(files.trajectory, top=str(files.top))
    streamed = list(model.stream(str(files.trajectory), top=files.top))
    assert [one.frames.tolist() for one in streamed] == [[0], [1], [2]]
    for one, coordinates in zip(streamed, whole.coordinates, strict=True):
        assert (one.coordinates[0] == coordinates).all()
    rows = [row for one in streamed for row in one.report.frames]
    assert rows == whole.report.frames
