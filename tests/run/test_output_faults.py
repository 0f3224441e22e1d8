"""Outputs that can no longer be written: noticed at once, and nothing is left that is not whole."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

import pytest
from cg_files import FakeModel, walk, write_ca_pdb, write_trajectory

from latcpb_cli.errors import ExitCode, OutputError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.run import prepared_run
from latcpb_cli.run.pipeline import backmap_trajectory

N_FRAMES = 12
SUFFIXES = [".pdb", ".cif", ".xtc", ".dcd"]


@pytest.fixture
def source(tmp_path, sequence, monkeypatch):
    """Twelve frames, one a chunk."""
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    positions = walk(13, N_FRAMES)
    top = write_ca_pdb(tmp_path / "cg.pdb", sequence, positions[:1])
    return open_source([write_trajectory(tmp_path / "t.dcd", positions)], top)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("lost", ["folder", "part"])
def test_a_folder_or_part_removed_in_mid_run_is_noticed_at_once(source, folder, suffix, lost):
    done: list[int] = []

    def remove(count: int) -> None:
        done.append(count)
        if count == 3:
            shutil.rmtree(folder) if lost == "folder" else (folder / f"all{suffix}.part").unlink()

    with pytest.raises(OutputError, match="No such file|no longer the file") as caught:
        backmap_trajectory(FakeModel(), source, folder / f"all{suffix}", on_progress=remove)
    assert caught.value.exit_code is ExitCode.OUTPUT_EXISTS
    # One chunk is written while the next one is built.
    assert done[-1] <= 4
    assert not (folder / f"all{suffix}").exists()


@pytest.mark.parametrize("suffix", [".pdb", ".cif"])
def test_a_disk_that_is_full_at_the_first_write_is_left_empty(source, folder, suffix):
    """A limit on the size of files has the effect of a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"\.part: "):
            backmap_trajectory(FakeModel(), source, folder / f"all{suffix}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(folder.iterdir())
