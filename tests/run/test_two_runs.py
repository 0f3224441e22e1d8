"""Two runs that are started at the same moment on the same output."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from cg_files import walk, write_ca_pdb, write_trajectory

SUPPORT = Path(__file__).parent.parent / "support"
SCRIPT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from cg_files import FakeModel
from latcpb_cli.errors import LatcpbError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.pipeline import backmap_trajectory
source = open_source(["t.dcd"], "cg.pdb")
options = [BackmapOptions(samples=20), BackmapOptions(samples=20, resume=True)][int(sys.argv[2])]
print("ready", flush=True)
time.sleep(max(0.0, float(sys.stdin.readline()) - time.time()))
try:
    backmap_trajectory(FakeModel(), source, sys.argv[3], options)
except LatcpbError as error:
    print(error.message)
    sys.exit(int(error.exit_code))
"""


def start_waiting(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    """Start a process that prints that it is ready, and runs at the time that it then reads."""
    command = [sys.executable, "-c", SCRIPT, str(SUPPORT), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, text=True)


@pytest.mark.parametrize("rounds", [1, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_one_of_two_runs_wins_and_the_other_is_refused(tmp_path, rounds):
    positions = walk(40, 30)
    write_ca_pdb(tmp_path / "cg.pdb", "ACDEFGHIKL" * 4, positions[:1])
    write_trajectory(tmp_path / "t.dcd", positions)
    inputs = {path.name for path in tmp_path.iterdir()}
    expected = None
    for number in range(rounds):
        runs = [
            start_waiting([str(resume), f"out{number}.xtc"], tmp_path)
            for resume in (number % 2, (number // 2) % 2)
        ]
        assert all(run.stdout.readline() == "ready\n" for run in runs)
        moment = time.time() + 0.3
        for run in runs:
            run.stdin.write(f"{moment}\n")
            run.stdin.flush()
        messages = [run.communicate()[0] for run in runs]
        codes = [run.returncode for run in runs]
        # A run that comes when the other has ended finds its files, or, with resume, that all is done.
        assert 0 in codes and set(codes) <= {0, 4}, messages
        for code, message in zip(codes, messages, strict=True):
            assert code == 0 or "another run is writing it" in message or "exists already" in message
        left = {path.name for path in tmp_path.iterdir()} - inputs
        ends = (".xtc", ".top.pdb", ".report.json", ".report.csv")
        assert left == {f"out{number}{end}" for end in ends}
        content = [
            (tmp_path / f"out{number}{end}").read_bytes() for end in (".xtc", ".top.pdb", ".report.csv")
        ]
        expected = expected or content
        assert content == expected
        for name in left:
            (tmp_path / name).unlink()
