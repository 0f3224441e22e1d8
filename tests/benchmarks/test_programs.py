"""Peers are installed once, pinned, apart from each other; latcpb runs from this source tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from driver import PROGRAMS
from methods import LADDER, METHODS
from programs import PEERS, Program, ProgramError, command, configured
from programs import PROGRAMS as ALL_PROGRAMS

import latcpb_cli


@pytest.fixture
def calls(monkeypatch):
    """Commands that would be run; pip fails for a package called `missing`."""
    commands = []

    def run(arguments, **settings):
        commands.append(arguments)
        if "venv" in arguments:
            Path(arguments[-1]).mkdir()
        failed = any("missing" in argument for argument in arguments[3:])
        return subprocess.CompletedProcess(arguments, int(failed), "", "a line\nno such package\n")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_a_peer_is_installed_once_at_its_version_after_its_prerequisites(tmp_path, calls):
    peer = Program("peer", "1.2", prerequisites=("torch",))
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


def test_a_peer_with_pins_of_its_own_is_installed_without_those_of_latcpb(tmp_path, calls):
    command(Program("peer", "1.2", constrained=False), tmp_path)
    assert calls[-1][-1] == "peer==1.2"
    assert "--constraint" not in calls[-1]


def test_the_last_line_of_pip_is_passed_on(tmp_path, calls):
    with pytest.raises(ProgramError, match="missing-1.0 cannot be installed: no such package"):
        command(Program("missing", "1.0"), tmp_path)


def test_latcpb_runs_from_the_tree_beside_the_benchmarks(tmp_path, calls):
    program = configured("latcpb-ensemble", weights="mine", device="cpu", samples=3)
    line, variables = command(program, tmp_path)
    assert line[0] == sys.executable
    settings = ["mode=ensemble", "without=", "weights=mine", "device=cpu", "samples=3"]
    assert line[-6:] == ["latcpb", *settings]
    assert Path(variables["PYTHONPATH"]) == Path(latcpb_cli.__file__).parents[1]
    assert calls == []


def test_a_model_of_the_package_keeps_its_weights():
    """The column of one model, whichever weights the others have."""
    line, _ = command(configured("latcpb-fast", weights="mine", device="cpu", samples=1), Path())
    assert "weights=latcpb-fast" in line
    assert "weights=mine" not in line


def test_packers_get_a_backbone_and_other_peers_only_the_trace():
    given = {(method.program, method.backbone is not None) for method in METHODS.values()}
    assert given >= {(name, peer.packer) for name, peer in PEERS.items()}
    assert not given & {(name, not peer.packer) for name, peer in PEERS.items()}


def test_every_program_of_a_method_can_be_driven():
    methods = METHODS | LADDER
    assert {name for method in methods.values() for name in method.programs} == set(ALL_PROGRAMS)
    assert {*PEERS, "latcpb"} == set(PROGRAMS)
