"""Peers are installed once, pinned, apart from each other; our own code is that of this folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from driver import PROGRAMS
from methods import METHODS
from programs import PEERS, Program, ProgramError, command, own_program

import latcpb_cli


@pytest.fixture
def calls(monkeypatch):
    """Commands that would have been run; pip fails for a package called `missing`."""
    made = []

    def run(arguments, **settings):
        made.append(arguments)
        if "venv" in arguments:
            Path(arguments[-1]).mkdir()
        failed = any("missing" in argument for argument in arguments[3:])
        return subprocess.CompletedProcess(arguments, int(failed), "", "a line\nno such package\n")

    monkeypatch.setattr(subprocess, "run", run)
    return made


def test_a_peer_is_installed_once_at_its_version_after_what_goes_first(tmp_path, calls):
    peer = Program("peer", "1.2", first=("torch",))
    (tmp_path / "peer-1.2").mkdir()
    (tmp_path / "peer-1.2" / "half").touch()  # an installation that was stopped
    for _ in range(2):
        line, variables = command(peer, tmp_path)
    assert line[0] == str(tmp_path / "peer-1.2" / "bin" / "python")
    assert line[-1] == "peer"
    assert "PYTHONPATH" not in variables
    assert [arguments[-1] for arguments in calls] == [str(tmp_path / "peer-1.2"), "torch", "peer==1.2"]
    assert all("--constraint" in arguments for arguments in calls[1:])
    assert not (tmp_path / "peer-1.2" / "half").exists()


def test_what_pip_says_is_passed_on(tmp_path, calls):
    with pytest.raises(ProgramError, match="missing-1.0 cannot be installed: no such package"):
        command(Program("missing", "1.0"), tmp_path)


def test_our_own_code_is_the_one_beside_the_benchmarks(tmp_path, calls):
    line, variables = command(own_program(mode="ensemble"), tmp_path)
    assert line[0] == sys.executable
    assert line[-2:] == ["latcpb", "mode=ensemble"]
    assert Path(variables["PYTHONPATH"]) == Path(latcpb_cli.__file__).parents[1]
    assert calls == []


def test_every_program_of_a_method_can_be_driven():
    named = {name for method in METHODS.values() for name in method.programs}
    assert named <= {*PEERS, "latcpb", "latcpb-ensemble"}
    assert {*PEERS, "latcpb"} == set(PROGRAMS)
