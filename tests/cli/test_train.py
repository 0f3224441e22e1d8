"""`latcpb train` from structure files to weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import TINY, tiny_weights
from training import SEQUENCES, train_config, write_pdb_files
from typer.testing import CliRunner

from latcpb_cli.cli.app import main
from latcpb_cli.cli.train import train_app
from latcpb_cli.config import to_json
from latcpb_cli.train.checkpoint import read_config
from latcpb_cli.train.data import load_structures


@pytest.fixture
def call(tmp_path: Path):
    """Run a subcommand in a folder of its own; returns the exit code."""

    def run(*arguments: str | Path) -> int:
        return CliRunner().invoke(train_app, [str(argument) for argument in arguments]).exit_code

    return run


def test_from_structure_files_to_weights(call, tmp_path: Path) -> None:
    (tmp_path / "pdb").mkdir()
    write_pdb_files(tmp_path / "pdb")
    config = tmp_path / "settings.json"
    config.write_text(to_json(train_config(steps=9)))
    data, first, second = (tmp_path / name for name in ("packed", "autoencoder", "diffusion"))

    assert call("prepare", tmp_path / "pdb", "--out", data) == 0
    assert len(load_structures(data, "train", ensemble_probability=0.0)) == len(SEQUENCES)
    assert call("autoencoder", data, "--out", first, "--steps", "2", "--config", config) == 0
    assert read_config(first).steps == 2, "options of the command line take precedence"
    assert read_config(first).model == TINY
    assert (
        call("diffusion", data, "--out", second, "--autoencoder", first, "--steps", "1", "--config", config)
        == 0
    )
    assert call("export", second, "--out", tmp_path / "weights") == 0
    names = sorted(path.name for path in (tmp_path / "weights").iterdir())
    assert names == ["SHA256", "config.json", "model.safetensors"]


def test_later_stages_need_the_run_of_the_stage_before(call, tmp_path: Path) -> None:
    assert call("diffusion", tmp_path, "--out", tmp_path / "out") == 2


def test_weights_become_a_run_of_a_smaller_model(call, tmp_path: Path) -> None:
    weights, run = tiny_weights(tmp_path / "weights"), tmp_path / "run"
    start = ("import", weights, "--out", run, "--stage", "autoencoder")
    assert call(*start, "--cg-layers", "0", "--denoiser-layers", "0", "--shared-peptide-layers", "2") == 0
    model = read_config(run).model
    assert (model.cg_layers, model.peptide_layers, model.shared_encoder) == (1, 2, True)
    for choice in ("1", "0,0", "all", ""):
        with pytest.raises(SystemExit) as leaving:
            main(["train", *map(str, start[:3]), str(tmp_path / "other"), *start[4:], "--cg-layers", choice])
        assert leaving.value.code == 2
    assert not (tmp_path / "other").exists()
