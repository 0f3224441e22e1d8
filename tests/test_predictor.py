"""The predictor: parts that are left out, loading, and models without heads."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny import TINY, perturb, random_latent, tiny_model, tiny_predictor, trace_tensors

from latcpb_cli.chem.residues import GAMMA_SLOT
from latcpb_cli.choices import Part
from latcpb_cli.config import to_json
from latcpb_cli.errors import WeightsError
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.linear import use_onednn
from latcpb_cli.predictor import Predictor
from latcpb_cli.sidechains.packing import NOISE_PER_RESIDUE
from latcpb_cli.sidechains.selection import SideChainInputs

HEADS: tuple[Part, ...] = ("peptides", "packing", "rescoring")


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """A predictor in which every head has an effect."""
    predictor = tiny_predictor()
    assert predictor.peptide_rotations is not None
    assert predictor.packing is not None
    assert predictor.rescoring is not None
    perturb(predictor.peptide_rotations, seed=1, scale=0.3)
    perturb(predictor.rescoring, seed=2)
    predictor.packing.contact_energy.data[:, :3] = 5.0
    return predictor


def encode(predictor: Predictor) -> tuple[torch.Tensor, Condition, Graph]:
    ca, types, linked = trace_tensors()
    graph = predictor.latcpb.build_graph(ca, types, linked, [len(ca)])
    return random_latent(), predictor.latcpb.cg_encoder(graph), graph


def sampling_noise() -> SideChainInputs:
    generator = torch.Generator().manual_seed(3)
    return SideChainInputs(noise=torch.randn(len(trace_tensors()[0]), NOISE_PER_RESIDUE, generator=generator))


def build(predictor: Predictor, *without: Part, inputs: SideChainInputs | None = None) -> Decoded:
    return predictor.build_atoms(*encode(predictor), inputs or SideChainInputs(), without)


@pytest.mark.parametrize("inputs", [SideChainInputs(), sampling_noise()], ids=["best", "sample"])
def test_without_heads_the_atoms_are_those_of_the_papers_decoder(
    predictor: Predictor, inputs: SideChainInputs
) -> None:
    decoded = predictor.latcpb.decoder(*encode(predictor))
    built = build(predictor, *HEADS, inputs=inputs)
    assert torch.equal(built.atoms, decoded.atoms)
    assert built.rotamers is not None
    assert torch.equal(built.rotamers.logits, decoded.rotamers.logits)
    assert built.concentration is None


@pytest.mark.parametrize("part", HEADS)
def test_every_head_that_is_left_out_changes_best_mode(predictor: Predictor, part: Part) -> None:
    whole, partial = build(predictor), build(predictor, part)
    backbones_differ = not torch.equal(whole.atoms[:, :GAMMA_SLOT], partial.atoms[:, :GAMMA_SLOT])
    assert backbones_differ == (part == "peptides")
    assert (whole.atoms - partial.atoms).norm(dim=-1).max() > 0.1


def test_without_peptides_the_backbone_is_that_of_the_decoder(predictor: Predictor) -> None:
    decoded = predictor.latcpb.decoder(*encode(predictor))
    built = build(predictor, "peptides")
    assert torch.equal(built.atoms[:, :GAMMA_SLOT], decoded.atoms[:, :GAMMA_SLOT])
    assert built.concentration is None


def test_side_chains_keep_the_concentration_of_peptides(predictor: Predictor) -> None:
    concentration = build(predictor, "packing").concentration
    assert concentration is not None
    assert torch.equal(build(predictor).concentration, concentration)


def test_samples_keep_the_peptides_of_their_latents(predictor: Predictor) -> None:
    decoded = predictor.latcpb.decoder(*encode(predictor))
    sample = build(predictor, inputs=sampling_noise())
    assert torch.equal(sample.atoms[:, :GAMMA_SLOT], decoded.atoms[:, :GAMMA_SLOT])
    assert sample.concentration is None
    assert not torch.equal(sample.atoms, decoded.atoms)


def test_without_packing_there_is_no_rescoring(predictor: Predictor) -> None:
    assert torch.equal(build(predictor, "packing").atoms, build(predictor, "packing", "rescoring").atoms)


@pytest.mark.parametrize("without", [(), ("rescoring",), ("peptides",)])
def test_built_rotamers_have_the_refined_probabilities(
    predictor: Predictor, without: tuple[Part, ...]
) -> None:
    """Reselection in relaxation takes them from there."""
    refined = predictor.rotamer_probabilities(encode(predictor), without)
    rotamers = build(predictor, *without).rotamers
    assert rotamers is not None
    is_candidate = refined > 1e-6
    assert is_candidate.sum() > len(refined)
    assert torch.allclose(rotamers.logits.exp()[is_candidate], refined[is_candidate], atol=1e-6)
    decoded = predictor.latcpb.decoder(*encode(predictor)).rotamers.logits.softmax(-1)
    assert (refined - decoded)[is_candidate].abs().max() > 0.1


def test_without_packing_there_are_no_refined_probabilities(predictor: Predictor) -> None:
    assert (predictor.rotamer_probabilities(encode(predictor), ("packing",)) == 0).all()


def test_decoders_of_positions_have_no_heads() -> None:
    predictor = tiny_predictor(cartesian=True)
    assert [child for child, _ in predictor.named_children()] == ["latcpb"]
    built = build(predictor)
    assert torch.equal(built.atoms, predictor.latcpb.decoder(*encode(predictor)).atoms)
    assert built.internal is None


def test_loaded_weights_build_the_same_atoms(predictor: Predictor, tmp_path: Path) -> None:
    config, weights = tmp_path / "config.json", tmp_path / "model.safetensors"
    config.write_text(to_json(TINY))
    save_file(predictor.state_dict(), weights)
    loaded = Predictor.load(config, weights)
    same = deepcopy(predictor)
    use_onednn(same)
    assert torch.equal(build(loaded).atoms, build(same).atoms)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    config, weights = tmp_path / "config.json", tmp_path / "model.safetensors"
    config.write_text(to_json(TINY))
    save_file(tiny_model().state_dict(), weights)
    with pytest.raises(WeightsError, match=r"model\.safetensors: .* has more parameters than the file"):
        Predictor.load(config, weights)
