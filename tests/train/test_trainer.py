"""Training runs: resume, stages one after the other, ablations."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny import TINY
from training import train_config

from latcpb_cli.errors import UsageError
from latcpb_cli.predictor import Predictor
from latcpb_cli.train.checkpoint import load_predictor, read_config
from latcpb_cli.train.config import LossWeights
from latcpb_cli.train.stages import STAGES, Stage
from latcpb_cli.train.trainer import Trainer

STAGE_SETTINGS = {
    "diffusion": {"dropout": 0.1},
    "packing": {"learning_rate": 0.03},
    "rescoring": {"learning_rate": 0.03, "dropout": 0.1},
}


def log(folder: Path) -> list[dict[str, float]]:
    """Rows of the log without the speed."""
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: row[key] for key in row if key != "residues_per_second"} for row in rows]


@pytest.mark.parametrize("stage", STAGES)
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    stage: str, trained: dict[str, Path], packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latcpb_cli.train.trainer._LOG_EVERY", 1)
    config = train_config(stage, **STAGE_SETTINGS.get(stage, {}))
    previous = trained.get(STAGES[stage].previous or "")
    whole, cut = (
        Trainer(config, packed, tmp_path / name, previous=previous) for name in ("whole", "interrupted")
    )
    whole.run()
    train_step = cut._train_step

    def interrupted_step() -> dict[str, torch.Tensor]:
        if cut.step == 3:
            cut.save()
        if cut.step == 5:
            raise KeyboardInterrupt  # two steps after the checkpoint, both in the log
        return train_step()

    monkeypatch.setattr(cut, "_train_step", interrupted_step)
    with pytest.raises(KeyboardInterrupt):
        cut.run()
    assert len(log(tmp_path / "interrupted")) == 5
    resumed = Trainer(config, packed, tmp_path / "interrupted", previous=previous)
    assert resumed.step == 3
    resumed.run()
    assert log(tmp_path / "interrupted") == log(tmp_path / "whole")
    for key, value in whole.average.items():
        assert torch.equal(resumed.average[key], value), key


def test_the_loss_falls(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latcpb_cli.train.trainer._LOG_EVERY", 1)
    Trainer(train_config(steps=8), packed, tmp_path).run()
    losses = [row["loss"] for row in log(tmp_path)]
    assert max(losses[-2:]) < min(losses[:2])


def test_a_folder_of_other_settings_is_refused(packed: Path, tmp_path: Path) -> None:
    Trainer(train_config(steps=1), packed, tmp_path / "run").run()
    with pytest.raises(UsageError, match="other settings"):
        Trainer(train_config(steps=1, max_ca_noise=0.1), packed, tmp_path / "run")


def averaged_weights(folder: Path) -> dict[str, torch.Tensor]:
    predictor = Predictor(read_config(folder).model)
    load_predictor(folder, predictor)
    return predictor.state_dict()


@pytest.mark.parametrize("stage", list(STAGES.values())[1:], ids=list(STAGES)[1:])
def test_a_stage_changes_its_parts_alone(stage: Stage, trained: dict[str, Path]) -> None:
    """The moments of the latents are buffers, which the diffusion stage sets before its first step."""
    assert stage.previous is not None
    before, after = averaged_weights(trained[stage.previous]), averaged_weights(trained[stage.name])
    changed = {
        key for key, value in after.items() if key not in before or not torch.equal(value, before[key])
    }
    for part in stage.parts:
        assert any(key.startswith(part) for key in changed), part
    allowed = (*stage.parts, "latcpb.latent_")
    assert not [key for key in changed if not key.startswith(allowed)]


def dropout_probabilities(part: torch.nn.Module | None) -> set[float]:
    assert part is not None
    return {module.p for module in part.modules() if isinstance(module, torch.nn.Dropout)}


def test_dropout_acts_on_trained_parts_and_everywhere_in_rescoring(
    trained: dict[str, Path], packed: Path, tmp_path: Path
) -> None:
    diffusion, rescoring = (
        Trainer(
            train_config(name, dropout=0.1),
            packed,
            tmp_path / name,
            previous=trained[STAGES[name].previous or ""],
        ).predictor
        for name in ("diffusion", "rescoring")
    )
    assert dropout_probabilities(diffusion.latcpb.atom_encoder) == {0.0}
    assert dropout_probabilities(diffusion.latcpb.denoiser) == {0.1}
    assert dropout_probabilities(rescoring) == {0.1}


def test_the_peptide_encoder_starts_from_the_cg_encoder(
    trained: dict[str, Path], packed: Path, tmp_path: Path
) -> None:
    trainer = Trainer(train_config("peptides"), packed, tmp_path, previous=trained["diffusion"])
    expected = trainer.average["latcpb.cg_encoder.residue_embedding.weight"]
    head = trainer.predictor.peptide_rotations
    assert head is not None
    assert torch.equal(head.encoder.residue_embedding.weight, expected)


def test_a_stage_refuses_weights_of_another(trained: dict[str, Path], packed: Path, tmp_path: Path) -> None:
    for previous in (None, trained["diffusion"]):
        with pytest.raises(UsageError, match="starts from autoencoder weights") as error:
            Trainer(train_config("diffusion"), packed, tmp_path / "run", previous=previous)
        assert "--autoencoder" in error.value.hint


def test_a_model_of_positions_ends_with_its_diffusion(packed: Path, tmp_path: Path) -> None:
    model = replace(TINY, cartesian=True)
    first, second, third = (
        train_config(stage, steps=1, model=model) for stage in ("autoencoder", "diffusion", "peptides")
    )
    Trainer(first, packed, tmp_path / "autoencoder").run()
    Trainer(second, packed, tmp_path / "diffusion", previous=tmp_path / "autoencoder").run()
    with pytest.raises(UsageError, match="decodes positions"):
        Trainer(third, packed, tmp_path / "peptides", previous=tmp_path / "diffusion")


@pytest.mark.parametrize("change", ["discrete", "cartesian", "diffusion"])
def test_ablations_are_configurations_that_train(packed: Path, tmp_path: Path, change: str) -> None:
    model = replace(TINY, **{change: change == "cartesian"})
    trainer = Trainer(train_config(steps=2, model=model), packed, tmp_path)
    trainer.run()
    assert (trainer.predictor.latcpb.prior is None) == (change == "discrete")
    assert (trainer.predictor.latcpb.denoiser is None) == (change == "diffusion")


def test_the_contrastive_loss_can_be_switched_off(packed: Path, tmp_path: Path) -> None:
    """Table 2 of the paper: its weight is a setting."""
    with_loss = Trainer(train_config(steps=1), packed, tmp_path / "with")
    config = train_config(steps=1, weights=LossWeights(contrastive=0.0))
    without_loss = Trainer(config, packed, tmp_path / "without")
    first, second = with_loss._train_step(), without_loss._train_step()
    assert float((first["loss"] - second["loss"]).detach()) == pytest.approx(
        0.1 * float(first["contrastive"].detach()), rel=1e-3
    )
