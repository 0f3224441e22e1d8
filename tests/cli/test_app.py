"""The application: help, versions, errors that end in one line, and what is imported for them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from cg_files import FakeModel

from latcpb_cli import __version__
from latcpb_cli.cli.app import main

HEAVY = {"torch", "MDAnalysis", "numpy", "e3nn", "scipy", "gemmi", "huggingface_hub", "openmm"}


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, timeout=120
    )


@pytest.mark.parametrize("arguments", [["--help"], ["backmap", "--help"], ["--version"]])
def test_help_imports_no_heavy_library(arguments):
    code = (
        "import json, sys\n"
        "from latcpb_cli.cli.app import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = python(code, *arguments)
    assert done.stdout
    assert not HEAVY & set(json.loads(done.stderr.splitlines()[-1]))


def test_the_package_runs_as_a_module():
    """``python -m latcpb_cli`` is the command ``latcpb``, and imports no more."""
    code = (
        "import json, runpy, sys\n"
        "sys.argv[1:] = ['--help']\n"
        "try:\n    runpy.run_module('latcpb_cli', run_name='__main__', alter_sys=True)\n"
        "finally:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = python(code)
    assert "latcpb [OPTIONS] COMMAND" in done.stdout
    assert not HEAVY & set(json.loads(done.stderr.splitlines()[-1]))
    version = [sys.executable, "-m", "latcpb_cli", "--version"]
    printed = subprocess.run(version, capture_output=True, text=True, check=True, timeout=120).stdout
    assert printed == f"latcpb {__version__}\n"


def test_errors_of_the_system_name_the_file(folder, latcpb, ca_pdb, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "out.pdb")

    monkeypatch.setattr(FakeModel, "from_pretrained", full)
    code, _, messages = latcpb("backmap", "cg.pdb")
    assert code == 3
    assert "error: out.pdb: No space left on device\nhint: " in messages


def test_bugs_are_one_line_without_debug(folder, latcpb, ca_pdb, monkeypatch):
    monkeypatch.setattr(FakeModel, "sample", lambda *_, **__: 1 / 0)
    code, _, messages = latcpb("backmap", "cg.pdb")
    assert code == 1
    assert "error: this is a bug in latcpb (ZeroDivisionError: division by zero)" in messages
    assert "Traceback" not in messages
    with pytest.raises(ZeroDivisionError):
        main(["backmap", "cg.pdb", "--debug"])


@pytest.mark.parametrize("arguments", [[], ["backmap"], ["backmap", "a.pdb", "--samples", "0"], ["fly"]])
def test_usage_errors_of_the_parser(latcpb, arguments):
    code, _, messages = latcpb(*arguments)
    assert code == 2
    assert "Usage: latcpb" in messages or not arguments


def test_a_closed_pipe_is_no_traceback():
    done = subprocess.run(
        f"{sys.executable} -m latcpb_cli backmap --help | head -1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr


def test_tracebacks_show_no_passwords(folder, ca_pdb, monkeypatch, capsys):
    def fail(*arguments, **options):
        raise RuntimeError("https://me:secret@host/model is gone")

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(FakeModel, "from_pretrained", fail)
    with pytest.raises(RuntimeError) as caught:
        main(["backmap", "cg.pdb", "--debug"])
    sys.excepthook(caught.type, caught.value, caught.tb)
    shown = capsys.readouterr().err
    assert "RuntimeError: https://***@host/model is gone" in shown
    assert "secret" not in shown


def test_a_warning_of_the_package_is_one_line():
    code = (
        "import logging\n"
        "from latcpb_cli.cli.app import main\n"
        "try:\n    main(['--version'])\n"
        "finally:\n    logging.getLogger('latcpb_cli.hub').warning('a copy is removed')\n"
    )
    assert python(code).stderr == "warning: a copy is removed\n"
