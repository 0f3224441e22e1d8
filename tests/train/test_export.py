"""The averaged weights of a run become a folder for `Predictor.load` and --weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import SEQUENCE, TINY, coil

from latcpb_cli.errors import OutputExistsError, UsageError, WeightsError
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.predictor import Predictor
from latcpb_cli.train.checkpoint import load_predictor
from latcpb_cli.train.export import export_weights
from latcpb_cli.weights import MODEL_FILE, read_directory


@pytest.fixture(scope="module")
def exported(trained: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "weights"
    assert export_weights(trained["rescoring"], out) == 2
    return out


def test_exported_weights_are_those_of_the_run(trained: dict[str, Path], exported: Path) -> None:
    expected = Predictor(TINY)
    load_predictor(trained["rescoring"], expected)
    files = read_directory(exported)
    loaded = Predictor.load(files.config, files.model)
    assert loaded.config == TINY
    assert not loaded.training
    state = loaded.state_dict()
    assert list(state) == list(expected.state_dict())
    for name, value in expected.state_dict().items():
        rounded = value.half().float() if value.is_floating_point() else value
        assert torch.equal(state[name], rounded), name


def test_exported_weights_build_the_same_atoms_as_the_run(trained: dict[str, Path], exported: Path) -> None:
    """Within the rounding to 16 bits."""
    expected = Predictor(TINY)
    load_predictor(trained["rescoring"], expected)
    files = read_directory(exported)
    atoms = [
        built_atoms(predictor) for predictor in (expected.eval(), Predictor.load(files.config, files.model))
    ]
    assert float((atoms[0] - atoms[1]).norm(dim=-1).median()) < 0.05


@torch.no_grad()
def built_atoms(predictor: Predictor) -> torch.Tensor:
    """Atoms that the decoder builds on a helix from zero latents."""
    from latcpb_cli.chem.residues import letter_index

    types = torch.from_numpy(letter_index(SEQUENCE))
    linked = torch.arange(len(SEQUENCE)) < len(SEQUENCE) - 1
    graph = predictor.latcpb.build_graph(coil(len(SEQUENCE)), types, linked, [len(SEQUENCE)])
    latent = torch.full((len(SEQUENCE), TINY.latent), 0.5)
    return predictor.latcpb.decoder(latent, predictor.latcpb.cg_encoder(graph), graph).atoms


def test_exported_weights_are_taken_by_the_backmapper(exported: Path) -> None:
    backmapper = LoadedModel.from_pretrained(exported, device="cpu")
    assert backmapper.weights_name == "weights"
    assert backmapper.checksums[MODEL_FILE] == read_directory(exported).sha256


def test_existing_weights_are_kept_unless_asked(trained: dict[str, Path], exported: Path) -> None:
    with pytest.raises(OutputExistsError):
        export_weights(trained["rescoring"], exported)
    assert export_weights(trained["rescoring"], exported, overwrite=True) == 2


def test_a_first_stage_and_an_empty_folder_are_refused(trained: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="first stage only"):
        export_weights(trained["autoencoder"], tmp_path / "weights")
    with pytest.raises(WeightsError, match="no checkpoint"):
        export_weights(tmp_path, tmp_path / "weights")
