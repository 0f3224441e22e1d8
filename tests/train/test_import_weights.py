"""Weights become a run of a stage, with all layers or with some."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny import TINY, tiny_predictor, tiny_weights, trace_tensors
from training import train_config

from latcpb_cli.config import to_json
from latcpb_cli.errors import OutputExistsError, UsageError, WeightsError
from latcpb_cli.model.cg_encoder import CGEncoder
from latcpb_cli.predictor import Predictor
from latcpb_cli.train.checkpoint import load_predictor, read_config
from latcpb_cli.train.import_weights import LayerChoice, import_weights
from latcpb_cli.train.trainer import Trainer
from latcpb_cli.weights import CONFIG_FILE, MODEL_FILE, write_checksums

DEEP = replace(TINY, cg_layers=3, denoiser_layers=2)


def imported(weights: Path, run: Path, stage: str = "autoencoder", **layers) -> Predictor:
    """The predictor of the run that weights become."""
    import_weights(weights, run, stage, LayerChoice(**layers))
    predictor = Predictor(read_config(run).model).eval()
    load_predictor(run, predictor)
    return predictor


@pytest.fixture
def deep_weights(tmp_path: Path) -> Path:
    """Weights with three layers in the CG encoder and two in the denoiser."""
    folder = tmp_path / "deep"
    folder.mkdir()
    save_file(tiny_predictor(cg_layers=3, denoiser_layers=2).state_dict(), folder / MODEL_FILE)
    (folder / CONFIG_FILE).write_text(to_json(DEEP))
    write_checksums(folder)
    return folder


def features(encoder: CGEncoder) -> torch.Tensor:
    """Features of the residues of a chain."""
    ca, types, linked = trace_tensors()
    graph = tiny_predictor().latcpb.build_graph(ca, types, linked, [len(ca)])
    return encoder.encode(graph)[0]


def test_weights_with_all_layers_are_unchanged(tmp_path: Path) -> None:
    predictor = imported(tiny_weights(tmp_path / "weights"), tmp_path / "run", "peptides")
    assert read_config(tmp_path / "run").stage == "peptides"
    for name, value in tiny_predictor().state_dict().items():
        assert torch.equal(predictor.state_dict()[name], value), name


def test_the_layers_that_are_kept_are_those_of_the_weights(deep_weights: Path, tmp_path: Path) -> None:
    """A layer that adds nothing may be left out; another choice of layers is another model."""
    predictor = Predictor.load(deep_weights / CONFIG_FILE, deep_weights / MODEL_FILE)
    transformer = predictor.latcpb.cg_encoder.transformer
    for parameter in (transformer.layers[1].attention.out, transformer.layers[1].mlp[-1]):
        parameter.weight.zero_()
        parameter.bias.zero_()
    save_file(predictor.state_dict(), deep_weights / MODEL_FILE)
    write_checksums(deep_weights)
    expected = features(predictor.latcpb.cg_encoder)
    smaller = imported(deep_weights, tmp_path / "run", cg=(0, 2), denoiser=(1,))
    assert (smaller.config.cg_layers, smaller.config.denoiser_layers) == (2, 1)
    assert torch.allclose(features(smaller.latcpb.cg_encoder), expected, atol=1e-5)
    other = imported(deep_weights, tmp_path / "other", cg=(0, 1))
    assert not torch.allclose(features(other.latcpb.cg_encoder), expected, atol=1e-2)


def test_a_shared_encoder_of_peptides_is_new_and_can_be_trained(
    deep_weights: Path, packed: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    predictor = imported(deep_weights, run, "diffusion", shared_peptide=1)
    assert predictor.config.shared_encoder
    config = replace(train_config("peptides", steps=1), model=predictor.config)
    trainer = Trainer(config, packed, tmp_path / "peptides", previous=run)
    trainer.run()
    trained, before = trainer.predictor.state_dict(), predictor.state_dict()
    changed = {name for name, value in before.items() if not torch.equal(trained[name], value)}
    assert changed
    assert all(name.startswith("peptide_rotations.") for name in changed)


def test_a_model_without_rescoring_has_no_such_stage(
    deep_weights: Path, packed: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    predictor = imported(deep_weights, run, "packing", rescoring=False)
    assert predictor.rescoring is None
    assert predictor.packing is not None
    config = replace(train_config("rescoring"), model=predictor.config)
    with pytest.raises(UsageError, match="leaves out what the stage rescoring trains"):
        Trainer(config, packed, tmp_path / "rescoring", previous=run)


def test_refusals(deep_weights: Path, tmp_path: Path) -> None:
    for layers in ((), (3,), (1, 0), (0, 0), (-1, 2)):
        with pytest.raises(UsageError, match="no choice of layers"):
            imported(deep_weights, tmp_path / "run", cg=layers)
    with pytest.raises(UsageError, match="no training stage"):
        imported(deep_weights, tmp_path / "run", "first")
    with pytest.raises(WeightsError):
        imported(tmp_path / "absent", tmp_path / "run")
    assert not (tmp_path / "run").exists()
    imported(deep_weights, tmp_path / "run")
    with pytest.raises(OutputExistsError):
        imported(deep_weights, tmp_path / "run")
