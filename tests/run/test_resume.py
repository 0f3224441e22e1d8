"""A run that was interrupted goes on, and its output has the bytes of an unbroken run."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from cg_files import FakeBackmapper, walk, write_ca_pdb, write_trajectory
from tiny import tiny_weights

import latcpb_cli
from latcpb_cli import pipeline
from latcpb_cli.errors import OutputError, UsageError
from latcpb_cli.io import parts
from latcpb_cli.io.open_source import open_source
from latcpb_cli.run.journal import journal_path
from latcpb_cli.run.pipeline import backmap_trajectory

N_FRAMES = 24
SUFFIXES = [".pdb", ".xtc", ".dcd", ".trr"]


@pytest.fixture
def make(tmp_path, sequence, monkeypatch):
    """Run with one frame per chunk, in a folder of the test's own; gives the bytes of all files."""
    positions = walk(13, N_FRAMES)
    positions[4, 3] = np.nan
    positions[7] = 5.0
    top = write_ca_pdb(tmp_path / "cg.pdb", sequence, positions[:1])
    trajectory = write_trajectory(tmp_path / "t.dcd", positions)
    monkeypatch.setattr(pipeline, "RESIDUES_PER_CHUNK", 1)

    def run(name: str, *, backmapper: FakeBackmapper | None = None, **options) -> dict[str, bytes]:
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir(exist_ok=True)
        source = open_source([trajectory], top)
        options = {"samples": 2, "mode": "ensemble", "report": folder / "out.report.json", **options}
        backmap_trajectory(
            backmapper or FakeBackmapper(), source, folder / f"out{Path(name).suffix}", **options
        )
        return contents(folder)

    return run


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by name; of the report, what does not depend on the clock and the command."""
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    for name in files:
        if name.endswith(".report.json"):
            report = json.loads(files[name])
            del report["provenance"]["seconds"], report["provenance"]["command"]
            files[name] = json.dumps(report).encode()
    return files


def stopping_at(frame: int) -> FakeBackmapper:
    backmapper = FakeBackmapper()
    backmapper.fail_at = frame
    return backmapper


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_interrupted_again_and_again(make, suffix):
    expected = make(f"whole{suffix}")
    for frame in (0, 3, 4, 5, 11):
        with pytest.raises(KeyboardInterrupt):
            make(f"broken{suffix}", backmapper=stopping_at(frame), resume=True)
    assert make(f"broken{suffix}", resume=True) == expected


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_written_after_the_last_entry_does_not_count(make, tmp_path, suffix):
    """As after a crash: parts and journal end anywhere."""
    expected = make(f"whole{suffix}")
    with pytest.raises(KeyboardInterrupt):
        make(f"broken{suffix}", backmapper=stopping_at(6))
    for path in (tmp_path / "broken").iterdir():
        path.write_bytes(path.read_bytes() + b'{"frames": 9, "half a lin')
    assert make(f"broken{suffix}", resume=True) == expected


@pytest.mark.parametrize("renames", range(4))
def test_killed_between_the_renames(make, monkeypatch, renames):
    expected = make("whole.xtc")
    left = iter(range(renames))
    commit = parts.PartFile.commit

    def killed(self) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        commit(self)

    with monkeypatch.context() as patch:
        patch.setattr(parts.PartFile, "commit", killed)
        # What a kill leaves: nobody tidies up.
        patch.setattr(parts.PartFile, "discard", parts.PartFile.close)
        with pytest.raises(KeyboardInterrupt):
            make("broken.xtc")
    assert make("broken.xtc", resume=True) == expected


def test_without_resume_it_begins_anew(make, tmp_path):
    expected = make("whole.xtc")
    with pytest.raises(KeyboardInterrupt):
        make("broken.xtc", backmapper=stopping_at(6), samples=3)
    assert make("broken.xtc") == expected


def test_other_settings_are_refused_in_one_line(make, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make("broken.xtc", backmapper=stopping_at(6))
    before = contents(tmp_path / "broken")
    with pytest.raises(UsageError, match="the interrupted run had seed 0, now 7$"):
        make("broken.xtc", seed=7, resume=True)
    (tmp_path / "t.dcd").touch()
    with pytest.raises(UsageError, match="the interrupted run had another inputs$"):
        make("broken.xtc", resume=True)
    assert contents(tmp_path / "broken") == before


def test_parts_that_are_gone_are_told(make, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make("broken.xtc", backmapper=stopping_at(6))
    (tmp_path / "broken" / "out.xtc.part").unlink()
    with pytest.raises(UsageError, match=r"out\.xtc\.part: what the interrupted run left is gone") as caught:
        make("broken.xtc", resume=True)
    assert "without --resume" in caught.value.hint


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_full_disk(make, tmp_path, suffix):
    """Files may not grow beyond a limit: what the system does on a full disk, without a disk of our own."""
    expected = make(f"whole{suffix}")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # More than any other file takes: the trajectory meets the limit.
    room = len(expected[f"out{suffix}"]) - 200
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(OutputError) as caught:
            make(f"full{suffix}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ".part: " in caught.value.message
    assert "--resume" in caught.value.hint
    assert journal_path(tmp_path / "full" / f"out{suffix}").exists()
    assert make(f"full{suffix}", resume=True) == expected


def test_killed_at_random_moments(make, tmp_path):
    """Ten times, by a signal that no program can answer."""
    expected = make("whole.dcd")
    rng, killed = random.Random(1), 0
    journal = journal_path(tmp_path / "broken" / "out.dcd")
    while killed < 10:
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                make("broken.dcd", resume=True, backmapper=Unhurried())
            os._exit(0)
        before = journal.stat().st_size if journal.exists() else 0
        while not os.waitpid(child, os.WNOHANG)[0]:
            time.sleep(rng.random() * 0.03)
            if journal.exists() and journal.stat().st_size > before:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                break
        else:
            raise AssertionError(f"complete after {killed} kills")
        killed += 1
    assert journal.exists()
    assert make("broken.dcd", resume=True) == expected


class Unhurried(FakeBackmapper):
    """Takes so long that it is killed before it is done."""

    def sample(self, *arguments, **options):
        time.sleep(0.05)
        return super().sample(*arguments, **options)


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory) -> Path:
    """A folder with a model, a topology and a trajectory of 60 frames."""
    folder = tmp_path_factory.mktemp("killed")
    tiny_weights(folder / "weights")
    positions = walk(20, 60)
    write_ca_pdb(folder / "cg.pdb", "ACDEFGHIKLMNPQRSTVWY", positions[:1])
    write_trajectory(folder / "t.xtc", positions)
    return folder


def start(folder: Path, name: str, *options: str) -> subprocess.Popen:
    """Begin or resume a run of ``latcpb backmap`` in small chunks, in a process of its own."""
    code = (
        "from latcpb_cli import backmapper, pipeline; backmapper._RESIDUES_PER_BLOCK['cpu'] = 1; "
        "pipeline.RESIDUES_PER_CHUNK = 1; from latcpb_cli.cli.app import main; main()"
    )
    options = ("backmap", "t.xtc", "-s", "cg.pdb", "-o", name, "--weights", "weights", "-q", *options)
    path = {"PYTHONPATH": str(Path(latcpb_cli.__file__).parents[1])}
    return subprocess.Popen([sys.executable, "-c", code, *options], cwd=folder, env={**os.environ, **path})


def wait_for_entries(journal: Path, count: int, process: subprocess.Popen) -> None:
    """Wait until the journal has grown by so many entries, or the process has ended."""
    before = len(journal.read_bytes().splitlines()) if journal.exists() else 0
    while process.poll() is None:
        if journal.exists() and len(journal.read_bytes().splitlines()) >= before + count:
            return
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_command_killed_at_random_moments(trajectory):
    unbroken = trajectory / "whole.xtc"
    assert start(trajectory, unbroken.name).wait() == 0
    rng, killed = random.Random(0), 0
    output = trajectory / "broken.xtc"
    for _ in range(10):
        process = start(trajectory, output.name, "--resume")
        wait_for_entries(journal_path(output), 2, process)
        time.sleep(rng.random() * 0.2)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    assert killed == 10
    assert journal_path(output).exists()
    assert start(trajectory, output.name, "--resume").wait() == 0
    assert not journal_path(output).exists()
    for suffix in (".xtc", ".top.pdb", ".report.csv"):
        assert output.with_suffix(suffix).read_bytes() == unbroken.with_suffix(suffix).read_bytes()
    rows = [json.loads(path.with_suffix(".report.json").read_text()) for path in (output, unbroken)]
    assert rows[0]["frames"] == rows[1]["frames"]
    assert rows[0]["summary"] == rows[1]["summary"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB in memory, which only root may mount."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mounting, capture_output=True).returncode:
        pytest.skip("no right to mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_command_on_a_full_disk_goes_on_when_there_is_room(trajectory, small_disk):
    unbroken, output = trajectory / "roomy.xtc", small_disk / "out.xtc"
    assert start(trajectory, unbroken.name).wait() == 0
    assert start(trajectory, str(output)).wait() == 4
    assert not output.exists() and journal_path(output).exists()
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert start(trajectory, str(output), "--resume").wait() == 0
    for suffix in (".xtc", ".top.pdb", ".report.csv"):
        assert output.with_suffix(suffix).read_bytes() == unbroken.with_suffix(suffix).read_bytes()


@pytest.mark.slow
def test_command_interrupted_by_ctrl_c(trajectory):
    output = trajectory / "stopped.xtc"
    process = start(trajectory, output.name)
    wait_for_entries(journal_path(output), 2, process)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert not output.exists()
    assert os.path.getsize(f"{output}.part")
    assert start(trajectory, output.name, "--seed", "3", "--resume").wait() == 2
