"""The table of stages is complete, and each entry fits predictor, losses and command line."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
from tiny import tiny_predictor
from typer.testing import CliRunner

from latcpb_cli.cli.train import train_app
from latcpb_cli.errors import UsageError
from latcpb_cli.train.stages import STAGES, Stage, get_stage


@pytest.mark.parametrize("stage", STAGES.values(), ids=list(STAGES))
def test_an_entry_names_what_exists(stage: Stage) -> None:
    modules = dict(tiny_predictor(com_beads=True).named_modules())
    assert set(stage.parts) <= set(modules)
    assert list(inspect.signature(stage.load_loss()).parameters) == ["predictor", "batch", "context"]
    initialize = stage.load_initialize()
    assert initialize is None or list(inspect.signature(initialize).parameters) == ["predictor", "batches"]
    assert stage.steps > 0


def test_stages_follow_each_other() -> None:
    names = list(STAGES)
    assert [stage.previous for stage in STAGES.values()] == [None, *names[:-1]]


def test_the_stages_train_every_part_once_or_go_on_with_it() -> None:
    parts = {part for stage in STAGES.values() for part in stage.parts}
    children = {f"latcpb.{name}" for name, _ in tiny_predictor().latcpb.named_children()}
    heads = {name for name, _ in tiny_predictor(com_beads=True).named_children()} - {"latcpb"}
    assert parts == children | heads


@pytest.mark.parametrize("stage", STAGES.values(), ids=list(STAGES))
def test_every_stage_is_a_command(stage: Stage) -> None:
    result = CliRunner().invoke(train_app, [stage.name, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0
    assert stage.summary.split(":")[0] in result.output
    options = {option for other in STAGES.values() if (option := other.option) in result.output}
    assert options == ({STAGES[stage.previous].option} if stage.previous else set())


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(UsageError, match="no training stage 'nonsense'"):
        get_stage("nonsense")


def test_the_table_needs_no_torch() -> None:
    """The command line reads it for its help texts."""
    code = "import sys, latcpb_cli.train.stages; print('torch' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "False"
