"""Every format gives the same beads."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from cg_files import walk, write_ca_pdb, write_trajectory
from cg_formats import BOX, SEQUENCE, STRUCTURE_WRITERS, TOPOLOGY_WRITERS, TRAJECTORY_WRITERS, assert_beads
from reading import refuse

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions

HAS_TIMES = ("gro", "h5", "h5md", "xtc", "dcd", "trr", "nc", "gsd", "lammpstrj")
"""Formats with times, or step numbers in their place."""
EXTRAS = {"gsd": "gsd", "h5": "h5py", "h5md": "h5py"}
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def positions() -> np.ndarray:
    """Four frames of beads inside the box."""
    return walk(len(SEQUENCE), 4) + np.float32(3.0)


def need(name: str) -> None:
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])


@pytest.mark.parametrize("name", STRUCTURE_WRITERS)
def test_structures(tmp_path, positions, name):
    need(name)
    if name == "data":
        path = STRUCTURE_WRITERS[name](tmp_path, SEQUENCE, positions, BOX)
        assert_beads(open_source([path], options=ReadOptions(sequence=SEQUENCE)), positions[:1])
        return
    path = STRUCTURE_WRITERS[name](tmp_path, SEQUENCE, positions, BOX)
    source = open_source([path])
    assert source.n_frames == 4
    assert_beads(source, positions, name in HAS_TIMES)


@pytest.mark.parametrize("name", TRAJECTORY_WRITERS)
def test_trajectories(tmp_path, positions, name):
    need(name)
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    path = TRAJECTORY_WRITERS[name](tmp_path, SEQUENCE, positions, BOX)
    before = sorted(entry.name for entry in tmp_path.iterdir())
    source = open_source([path], top)
    assert source.n_frames == 4
    assert_beads(source, positions, name in HAS_TIMES)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", [*TOPOLOGY_WRITERS, *STRUCTURE_WRITERS])
def test_topologies(tmp_path, positions, name):
    need(name)
    top = {**TOPOLOGY_WRITERS, **STRUCTURE_WRITERS}[name](tmp_path, SEQUENCE, positions, BOX)
    path = write_trajectory(tmp_path / "t.xtc", positions, box=np.array([*BOX, 90, 90, 90]))
    assert_beads(
        open_source([path], top, ReadOptions(sequence=SEQUENCE if name == "data" else None)), positions, True
    )


@pytest.mark.parametrize("name", ["gro", "lammpstrj", "mdcrd"])
def test_cut_text_trajectories(tmp_path, positions, name):
    """A file that is cut in its last frame is refused, with the number of complete frames."""
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    path = {**STRUCTURE_WRITERS, **TRAJECTORY_WRITERS}[name](tmp_path, SEQUENCE, positions, BOX)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(InputError, match="truncated after 3 whole frames"):
        open_source([path], top)


@pytest.mark.parametrize("given", ["xtc", ".XTC"])
@pytest.mark.parametrize("name", ["traj", "traj.part0001", "traj.xtc.bak", "traj.pdb"])
def test_a_format_stands_for_a_missing_or_wrong_suffix(tmp_path, positions, name, given):
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1], box=[*BOX, 90, 90, 90])
    path = write_trajectory(tmp_path / "t.xtc", positions, box=np.array([*BOX, 90, 90, 90]))
    path = path.rename(tmp_path / name)
    assert_beads(open_source([path], top, ReadOptions(format=given)), positions)


def test_a_format_of_the_only_file_and_of_a_compressed_one(tmp_path, positions):
    path = write_ca_pdb(tmp_path / "structure", SEQUENCE, positions)
    assert open_source([path], options=ReadOptions(format="pdb")).n_frames == 4
    (tmp_path / "packed.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert open_source([tmp_path / "packed.gz"], options=ReadOptions(format="pdb")).n_frames == 4
    error = refuse("its name has no suffix", [path])
    assert "--format" in error.hint
    with pytest.raises(UsageError, match="--format docx: unknown format"):
        open_source([path], options=ReadOptions(format="docx"))


def test_amber_text_named_x(tmp_path, positions):
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    path = TRAJECTORY_WRITERS["mdcrd"](tmp_path, SEQUENCE, positions, BOX)
    assert_beads(open_source([path.rename(tmp_path / "prod.x")], top), positions)


def test_biological_assemblies(tmp_path, positions):
    one = write_ca_pdb(tmp_path / "1abc.pdb1", SEQUENCE, positions[:1])
    assert open_source([one]).n_frames == 1
    several = write_ca_pdb(tmp_path / "2abc.pdb2", SEQUENCE, positions)
    assert "--format pdb" in refuse("the 4 models of an assembly are one structure", [several]).hint
    assert open_source([several], options=ReadOptions(format="pdb")).n_frames == 4
