"""The driver returns a result for every job, whatever the program does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
from driver import cgback, run_job


def copies(source, target):
    Path(target).write_text(Path(source).read_text())


def exits(source, target):
    sys.exit(0)


def raises(source, target):
    raise ValueError("no such residue\nmore of it")


def writes_nothing(source, target):
    Path(target).touch()


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (copies, None),
        (exits, "SystemExit: 0"),
        (raises, "ValueError: no such residue"),
        (writes_nothing, "wrote nothing"),
    ],
)
def test_every_job_has_a_result(tmp_path, run, error):
    (tmp_path / "in").write_text("text")
    result = run_job(run, str(tmp_path / "in"), str(tmp_path / "out"))
    assert result["error"] == error
    assert result["peak_mb"] > 1


def test_wall_and_cpu_time_are_of_the_work(tmp_path):
    def sleeps(source, target):
        time.sleep(0.2)

    result = run_job(sleeps, "", str(tmp_path / "out"))
    assert 0.2 <= result["seconds"] < 5
    assert result["cpu_seconds"] < 0.15


def test_prints_of_a_program_stay_out_of_the_results(tmp_path):
    """The whole process, with a stand-in for a package that prints, starts others and reads its input."""
    (tmp_path / "pyfaspr.py").write_text(
        "import subprocess, sys\n"
        "def run_FASPR(path):\n"
        "    print('by the way'), subprocess.run(['cat'])\n"
        "    return open(path).read() + sys.stdin.read()\n"
    )
    source = tmp_path / "in.pdb"
    source.write_text("ATOM")
    jobs = [{"source": str(source), "target": str(tmp_path / name)} for name in ("a", "b")]
    done = subprocess.run(
        [sys.executable, "-P", str(Path(sys.modules["driver"].__file__)), "pyfaspr"],
        input="".join(json.dumps(job) + "\n" for job in jobs),
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["error"] for result in results] == [None, None]
    assert (tmp_path / "b").read_text() == "ATOM"
    assert done.stderr.count("by the way") == 2


def test_frames_given_one_by_one_get_noise_of_their_own(tmp_path, monkeypatch):
    """With a stand-in for a program that samples: the seed follows from the input, and from nothing else."""
    seeds, package = [], types.ModuleType("cgback")
    package.backmapper_app = types.ModuleType("cgback.backmapper_app")
    package.backmapper_app.main = lambda: seeds.append(sys.argv[sys.argv.index("--seed") + 1])
    monkeypatch.setitem(sys.modules, "cgback", package)
    monkeypatch.setitem(sys.modules, "cgback.backmapper_app", package.backmapper_app)
    monkeypatch.setattr(sys, "argv", [])
    run = cgback()
    for text in ("one frame", "another", "one frame"):
        (tmp_path / "in.pdb").write_text(text)
        run(str(tmp_path / "in.pdb"), str(tmp_path / "out.pdb"))
    assert seeds[0] == seeds[2] != seeds[1]
