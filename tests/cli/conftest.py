"""The command line in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cg_files import FakeModel

from latcpb_cli.cli.app import main

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The current folder of a user whose model is a stand-in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", FakeModel)
    return tmp_path


@pytest.fixture
def latcpb(folder, capsys) -> Command:
    """Run the command line; returns exit code, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(caught.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture
def backmap(latcpb) -> Callable[..., tuple[int, str]]:
    """Run ``latcpb backmap``; returns exit code and stderr."""

    def call(*arguments: object) -> tuple[int, str]:
        code, output, messages = latcpb("backmap", *arguments)
        assert output == ""
        return code, messages

    return call
