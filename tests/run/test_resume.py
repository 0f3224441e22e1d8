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
from cg_files import FakeModel, linear_calibration, walk, write_ca_pdb, write_trajectory
from tiny import tiny_weights

import latcpb_cli
from latcpb_cli.errors import OutputError, OutputExistsError, UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.writers.part_file import PartFile
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run import prepared_run
from latcpb_cli.run.journal import journal_path
from latcpb_cli.run.pipeline import backmap_trajectory

N_FRAMES = 24
SUFFIXES = [".pdb", ".xtc", ".dcd", ".trr"]


@pytest.fixture
def run(tmp_path, sequence, monkeypatch):
    """Run with one frame per chunk, in a folder of the test's own; returns the bytes of all files."""
    positions = walk(13, N_FRAMES)
    positions[4, 3] = np.nan
    positions[7] = 5.0
    top = write_ca_pdb(tmp_path / "cg.pdb", sequence, positions[:1])
    trajectory = write_trajectory(tmp_path / "t.dcd", positions)
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)

    def call(name: str, *, backmapper: FakeModel | None = None, **options) -> dict[str, bytes]:
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir(exist_ok=True)
        output, options = folder / f"out{Path(name).suffix}", {"samples": 2, **options}
        source = open_source([trajectory], top)
        backmap_trajectory(backmapper or FakeModel(), source, output, BackmapOptions(**options))
        return contents(folder)

    return call


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by name; the report without the entries for time and command."""
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    for name in files:
        if name.endswith(".report.json"):
            report = json.loads(files[name])
            del report["provenance"]["seconds"], report["provenance"]["command"]
            files[name] = json.dumps(report).encode()
    return files


def stopping_at(frame: int) -> FakeModel:
    backmapper = FakeModel()
    backmapper.fail_at = frame
    return backmapper


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_interrupted_again_and_again(run, suffix):
    expected = run(f"whole{suffix}")
    for frame in (0, 3, 4, 5, 11):
        with pytest.raises(KeyboardInterrupt):
            run(f"broken{suffix}", backmapper=stopping_at(frame), resume=True)
    assert run(f"broken{suffix}", resume=True) == expected


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bytes_after_the_last_entry_do_not_count(run, tmp_path, suffix):
    """As after a crash: parts and journal end anywhere."""
    expected = run(f"whole{suffix}")
    with pytest.raises(KeyboardInterrupt):
        run(f"broken{suffix}", backmapper=stopping_at(6))
    for path in (tmp_path / "broken").iterdir():
        path.write_bytes(path.read_bytes() + b'{"frames": 9, "half a lin')
    assert run(f"broken{suffix}", resume=True) == expected


@pytest.mark.parametrize("renames", range(4))
def test_killed_between_the_renames(run, monkeypatch, renames):
    expected = run("whole.xtc")
    left = iter(range(renames))
    commit = PartFile.commit

    def killed(self) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        commit(self)

    with monkeypatch.context() as patch:
        patch.setattr(PartFile, "commit", killed)
        # As after a kill, which removes no part files.
        patch.setattr(PartFile, "discard", PartFile.close)
        with pytest.raises(KeyboardInterrupt):
            run("broken.xtc")
    assert run("broken.xtc", resume=True) == expected


def test_without_resume_it_begins_anew(run, tmp_path):
    expected = run("whole.xtc")
    with pytest.raises(KeyboardInterrupt):
        run("broken.xtc", backmapper=stopping_at(6), samples=3)
    assert run("broken.xtc") == expected


def test_other_settings_are_refused_in_one_line(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run("broken.xtc", backmapper=stopping_at(6))
    before = contents(tmp_path / "broken")
    with pytest.raises(UsageError, match="the interrupted run had seed 0, now 7$"):
        run("broken.xtc", seed=7, resume=True)
    (tmp_path / "t.dcd").touch()
    with pytest.raises(UsageError, match="the interrupted run had another inputs$"):
        run("broken.xtc", resume=True)
    assert contents(tmp_path / "broken") == before


def test_missing_parts_are_refused(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run("broken.xtc", backmapper=stopping_at(6))
    (tmp_path / "broken" / "out.xtc.part").unlink()
    with pytest.raises(OutputError, match=r"out\.xtc\.part: what the interrupted run left is gone") as caught:
        run("broken.xtc", resume=True)
    assert "without --resume" in caught.value.hint


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["out{}", "out.report.csv", "out.report.json.frames"])
def test_parts_that_were_changed_are_refused(run, tmp_path, suffix, name):
    """One byte of the same length is enough, wherever it is."""
    with pytest.raises(KeyboardInterrupt):
        run(f"damaged{suffix}", backmapper=stopping_at(6))
    path = tmp_path / "damaged" / f"{name.format(suffix)}.part"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"\.part: what the interrupted run left is gone, cut or changed"):
        run(f"damaged{suffix}", resume=True)
    path.write_bytes(bytes(len(content)))
    with pytest.raises(OutputError, match="gone, cut or changed"):
        run(f"damaged{suffix}", resume=True)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("report", [True, False])
def test_a_resumed_run_that_is_complete_writes_nothing(run, tmp_path, suffix, report):
    before = run(f"done{suffix}", report=report)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "done").iterdir()}
    assert run(f"done{suffix}", report=report, resume=True) == before
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "done").iterdir()}
    with pytest.raises(OutputExistsError):
        run(f"done{suffix}", report=report, resume=True, seed=5)
    with pytest.raises(OutputExistsError):
        run(f"done{suffix}", report=report)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_full_disk(run, tmp_path, suffix):
    """A limit on the size of files has the effect of a full disk."""
    expected = run(f"whole{suffix}")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The limit is above the size of every other file: only the trajectory meets it.
    room = len(expected[f"out{suffix}"]) - 200
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(OutputError) as caught:
            run(f"full{suffix}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ".part: " in caught.value.message
    assert "--resume" in caught.value.hint
    assert journal_path(tmp_path / "full" / f"out{suffix}").exists()
    assert run(f"full{suffix}", resume=True) == expected


def test_killed_at_random_moments(run, tmp_path):
    """The process is killed ten times by a signal that it cannot catch."""
    expected = run("whole.dcd")
    rng, killed = random.Random(1), 0
    journal = journal_path(tmp_path / "broken" / "out.dcd")
    while killed < 10:
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                run("broken.dcd", resume=True, backmapper=SlowModel())
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
    assert run("broken.dcd", resume=True) == expected


class SlowModel(FakeModel):
    """Is killed before it is done."""

    def sample(self, *arguments):
        time.sleep(0.05)
        return super().sample(*arguments)


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
    """Begin or resume a run of ``latcpb backmap`` in small chunks, in a process of its own.

    Ctrl-C interrupts it even where tests run in the background of a shell, whose processes ignore it.
    """
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from latcpb_cli import block_size; block_size._RESIDUES_PER_BLOCK['cpu'] = 1; "
        "from latcpb_cli.run import prepared_run; prepared_run.RESIDUES_PER_CHUNK = 1; "
        "from latcpb_cli.cli.app import main; main()"
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
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("options", [[], ["--workers", "2"], ["--hydrogens"]], ids=" ".join)
def test_command_killed_at_random_moments(trajectory, options):
    if "--hydrogens" in options:
        pytest.importorskip("openmm")
    unbroken = trajectory / f"whole{''.join(options)}.xtc"
    assert start(trajectory, unbroken.name, *options).wait() == 0
    rng, killed = random.Random(0), 0
    output = unbroken.with_name(f"broken-{unbroken.name}")
    for _ in range(10):
        process = start(trajectory, output.name, "--resume", *options)
        wait_for_entries(journal_path(output), 2, process)
        time.sleep(rng.random() * 0.2)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    assert killed == 10
    assert journal_path(output).exists()
    assert start(trajectory, output.name, "--resume", *options).wait() == 0
    assert not journal_path(output).exists()
    for suffix in (".xtc", ".top.pdb", ".report.csv"):
        assert output.with_suffix(suffix).read_bytes() == unbroken.with_suffix(suffix).read_bytes()
    rows = [json.loads(path.with_suffix(".report.json").read_text()) for path in (output, unbroken)]
    assert rows[0]["frames"] == rows[1]["frames"]
    assert rows[0]["summary"] == rows[1]["summary"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB in memory, which only root may mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


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


@pytest.mark.parametrize("suffix", [".pdb", ".cif", ".xtc"])
@pytest.mark.parametrize("bfactor", ["confidence", "spread"])
def test_means_of_confidence_and_b_factors_go_on(run, monkeypatch, suffix, bfactor):
    monkeypatch.setattr(FakeModel, "calibration", linear_calibration())
    expected = run(f"whole{suffix}", bfactor=bfactor)
    for frame in (0, 5, 6, 17):
        with pytest.raises(KeyboardInterrupt):
            run(f"broken{suffix}", backmapper=stopping_at(frame), resume=True, bfactor=bfactor)
    assert run(f"broken{suffix}", resume=True, bfactor=bfactor) == expected
    rows = json.loads(expected["out.report.json"])["confidence"]
    assert 0 < min(row["backbone"] for row in rows) <= max(row["backbone"] for row in rows) <= 1
    assert len({row["chi1"] for row in rows}) > 3
    topology = expected["out.top.pdb" if suffix == ".xtc" else f"out{suffix}"].decode().splitlines()
    atoms = [line for line in topology if line.startswith("ATOM")]
    values = [float(line.split()[14] if suffix == ".cif" else line[60:66]) for line in atoms]
    assert bfactor == "spread" or 0 <= min(values) < max(values) <= 100


def test_b_factors_of_a_run_killed_between_the_renames(run, monkeypatch):
    expected = run("whole.xtc", bfactor="spread")
    with monkeypatch.context() as patch:
        patch.setattr(PartFile, "commit", lambda self: 1 / 0)
        patch.setattr(PartFile, "discard", PartFile.close)
        with pytest.raises(ZeroDivisionError):
            run("broken.xtc", bfactor="spread")
    assert run("broken.xtc", resume=True, bfactor="spread") == expected
