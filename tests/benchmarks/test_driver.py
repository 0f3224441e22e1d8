"""Whatever a program does, the driver answers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
from driver import answer, cgback


def copies(source, target):
    Path(target).write_text(Path(source).read_text())


def leaves(source, target):
    sys.exit(0)


def breaks(source, target):
    raise ValueError("no such residue\nmore of it")


def writes_nothing(source, target):
    Path(target).touch()


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (copies, None),
        (leaves, "SystemExit: 0"),
        (breaks, "ValueError: no such residue"),
        (writes_nothing, "wrote nothing"),
    ],
)
def test_every_job_has_an_answer(tmp_path, run, error):
    (tmp_path / "in").write_text("text")
    done = answer(run, str(tmp_path / "in"), str(tmp_path / "out"))
    assert done["error"] == error
    assert done["peak_mb"] > 1


def test_wall_and_cpu_time_are_of_the_work(tmp_path):
    def sleeps(source, target):
        time.sleep(0.2)

    done = answer(sleeps, "", str(tmp_path / "out"))
    assert 0.2 <= done["seconds"] < 5
    assert done["cpu_seconds"] < 0.15


def test_prints_of_a_program_stay_out_of_the_answers(tmp_path):
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
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [found["error"] for found in answers] == [None, None]
    assert (tmp_path / "b").read_text() == "ATOM"
    assert done.stderr.count("by the way") == 2


def test_frames_that_come_one_by_one_are_drawn_from_noise_of_their_own(tmp_path, monkeypatch):
    """With a stand-in for a program that draws: the seed follows from the input, and from nothing else."""
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
