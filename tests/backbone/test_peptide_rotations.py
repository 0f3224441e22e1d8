"""Rotations of peptides: the decoder's before training, those of the encoder after it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from rotations import MIRROR, random_rotation
from tiny import perturb, random_latent, tiny_model, trace_tensors

from latcpb_cli.backbone.peptide_rotations import _N_PAIR_FEATURES, PeptideRotations, sector_directions
from latcpb_cli.chem.residues import O_SLOT
from latcpb_cli.geometry.codec import PEPTIDE_ROTATION
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.cg_encoder import Condition, ExtraFeatures
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import N_PAIR_FEATURES, Graph

CA = trace_tensors()[0]


def tiny_head(*, trained: bool, shared: bool = False) -> PeptideRotations:
    """The head with random weights; untrained, its last layers are zero."""
    torch.manual_seed(5)
    config = replace(tiny_model().config, shared_encoder=shared)
    head = PeptideRotations(config).eval().requires_grad_(False)
    if trained:
        weight = head.logit_head[-1].weight
        weight.data = 0.5 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    return head


def prefer_sector(head: PeptideRotations, sector: int) -> None:
    """Make one sector certain for all peptides."""
    head.logit_head[-1].bias.data[sector] = 50.0


def decode(points: torch.Tensor = CA) -> tuple[Decoded, Condition, Graph]:
    model = tiny_model()
    _, types, linked = trace_tensors()
    graph = model.build_graph(points, types, linked, [len(points)])
    condition = model.cg_encoder(graph)
    return model.decoder(random_latent(), condition, graph), condition, graph


def rotations(head: PeptideRotations, points: torch.Tensor = CA) -> torch.Tensor:
    """(cos, sin) of the peptides that exist."""
    internal = head.rotate_peptides(*decode(points), side_chains=False).internal
    assert internal is not None
    return internal.torsions[:-1, PEPTIDE_ROTATION]


def test_untrained_heads_keep_the_rotations_of_the_decoder() -> None:
    internal = decode()[0].internal
    assert internal is not None
    expected = unit(internal.torsions[:-1, PEPTIDE_ROTATION])
    assert torch.allclose(rotations(tiny_head(trained=False)), expected, atol=1e-5)


def test_certain_sectors_outweigh_the_decoder() -> None:
    head, sector = tiny_head(trained=False), 20
    prefer_sector(head, sector)
    predicted = rotations(head)
    assert ((predicted * sector_directions(CA)[sector]).sum(-1) > 0.99).all()
    assert torch.allclose(predicted.norm(dim=-1), torch.ones(len(CA) - 1), atol=1e-5)


def test_the_concentration_grows_with_the_certainty() -> None:
    head, (decoded, condition, graph) = tiny_head(trained=False), decode()
    assert decoded.concentration is None
    uncertain = head.rotate_peptides(decoded, condition, graph, side_chains=False).concentration
    prefer_sector(head, 20)
    certain = head.rotate_peptides(decoded, condition, graph, side_chains=False).concentration
    assert uncertain is not None
    assert certain is not None
    assert (uncertain < 0.51).all()
    assert (certain > 50.0).all()
    assert certain.isfinite().all()


@pytest.mark.parametrize("shared", [False, True])
def test_rotated_peptides_are_built(shared: bool) -> None:
    head, (decoded, condition, graph) = tiny_head(trained=True, shared=shared), decode()
    rotated = head.rotate_peptides(decoded, condition, graph, side_chains=True)
    distance = (rotated.atoms - decoded.atoms).norm(dim=-1)
    assert (distance[:-1, O_SLOT] > 0.01).all()
    assert torch.equal(rotated.atoms[:, 1], CA)


def test_probabilities_sum_to_one_and_differ_between_peptides() -> None:
    probability = tiny_head(trained=True)(*decode()).exp()
    assert torch.allclose(probability.sum(-1), torch.ones(len(CA)), atol=1e-4)
    assert (probability[1:] - probability[:-1]).abs().amax(-1).min() > 1e-4


@pytest.mark.parametrize("shared", [False, True])
def test_moving_an_oxygen_changes_the_peptides_of_its_neighbors_only(shared: bool) -> None:
    """A peptide depends on the pair features of its two residues, with one layer of attention."""
    head, (decoded, condition, graph) = tiny_head(trained=True, shared=shared), decode()
    if shared:
        perturb(head.encoder.pair_projection, seed=1)
    atoms, moved = decoded.atoms.clone(), 12
    atoms[moved, O_SLOT] += 1.0
    before, after = (
        head(Decoded(each, decoded.internal, None), condition, graph).exp() for each in (decoded.atoms, atoms)
    )
    change = (after - before).abs().amax(dim=-1)
    near = ((graph.index == moved) & graph.mask).any(-1)
    near[moved] = True
    affected = near | near.roll(-1, 0)
    assert 2 < affected[:-1].sum() < len(CA) - 3
    assert (change[:-1][affected[:-1]] > 1e-6).all()
    assert (change[:-1][~affected[:-1]] == 0).all()


def test_the_initial_encoder_equals_the_cg_encoder_whatever_the_additional_inputs() -> None:
    head, cg_encoder, graph = tiny_head(trained=True), tiny_model(seed=3).cg_encoder, decode()[-1]
    head.init_from(cg_encoder)
    width = head.encoder.pair_embedding[0].in_features - N_PAIR_FEATURES

    def encode(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        extra = ExtraFeatures(
            head.rotation_projection(torch.randn(len(CA), 4, generator=generator)),
            torch.randn(*graph.index.shape, width, generator=generator).__getitem__,
        )
        return head.encoder.encode(graph, extra)[0]

    assert torch.equal(encode(0), encode(1))
    # More zeros do not change a sum, but they can change the order of additions.
    assert torch.allclose(encode(0), cg_encoder.encode(graph)[0], atol=1e-5)


def test_a_deeper_encoder_starts_near_the_cg_encoder() -> None:
    torch.manual_seed(5)
    head = PeptideRotations(replace(tiny_model().config, peptide_layers=3)).eval().requires_grad_(False)
    cg_encoder, graph = tiny_model(seed=3).cg_encoder, decode()[-1]
    head.init_from(cg_encoder)
    expected = cg_encoder.encode(graph)[0]
    pairs = torch.zeros(*graph.index.shape, _N_PAIR_FEATURES)
    extra = ExtraFeatures(torch.zeros(len(CA), 24), pairs.__getitem__)
    assert (head.encoder.encode(graph, extra)[0] - expected).norm() < 0.3 * expected.norm()


def test_a_shared_encoder_starts_near_the_features_of_the_cg_encoder() -> None:
    head, (_, condition, graph) = tiny_head(trained=True, shared=True), decode()
    head.init_from(tiny_model().cg_encoder)
    extra = ExtraFeatures(
        head.rotation_projection(torch.ones(len(CA), 4)),
        torch.ones(*graph.index.shape, _N_PAIR_FEATURES).__getitem__,
    )
    expected = head.encoder.norm(condition.residues)
    assert (head.encoder(condition, graph, extra) - expected).norm() < 0.3 * expected.norm()


@pytest.mark.parametrize("shared", [False, True])
def test_rotations_do_not_change_with_the_trace_and_change_with_its_reflection(shared: bool) -> None:
    head = tiny_head(trained=True, shared=shared)
    original = rotations(head)
    assert torch.allclose(rotations(head, CA @ random_rotation(2).T), original, atol=1e-4)
    assert (rotations(head, CA * MIRROR) - original).abs().max() > 1e-2


def test_decoders_of_positions_are_refused() -> None:
    decoded, condition, graph = decode()
    with pytest.raises(ValueError, match="positions"):
        tiny_head(trained=False)(Decoded(decoded.atoms, None, None), condition, graph)
