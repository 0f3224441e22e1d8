"""Rotations of peptides in best mode: nobody asked before training, every opinion heard after it."""

from __future__ import annotations

import torch
from tiny import tiny_model, trace_tensors

from latcpb_cli.backbone.peptide_rotations import sector_directions
from latcpb_cli.geometry.codec import ROTATION
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.cg_encoder import ExtraFeatures
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.sidechains.packing import NOISE

MIRROR = torch.tensor([1.0, 1.0, -1.0])


def awake() -> LatCPB:
    """A model that has an opinion."""
    model = tiny_model()
    for seed, reader in enumerate(model.peptides.readers):
        last = reader.judge[-1]
        last.weight.data = 0.5 * torch.randn(last.weight.shape, generator=torch.Generator().manual_seed(seed))
    return model


def drawn(model: LatCPB, points: torch.Tensor) -> tuple[Decoded, Graph]:
    _, types, linked = trace_tensors()
    graph = model.graph(points, types, linked, [len(points)])
    latent = torch.rand(len(points), 8, generator=torch.Generator().manual_seed(0))
    return model.decoder(latent, model.cg_encoder(graph), graph), graph


def rotations(model: LatCPB, points: torch.Tensor) -> torch.Tensor:
    decoded, graph = drawn(model, points)
    return model.peptides.turned(decoded, graph, side_chains=False).internal.torsions[:-1, ROTATION]


def test_before_training_the_decoder_decides() -> None:
    model, points = tiny_model(), trace_tensors()[0]
    own = drawn(model, points)[0].internal.torsions[:-1, ROTATION]
    assert torch.allclose(rotations(model, points), unit(own), atol=1e-5)


def test_best_mode_asks_and_samples_do_not() -> None:
    points = trace_tensors()[0]
    answers = []
    for model in (tiny_model(), awake()):
        _, graph = drawn(model, points)
        condition = model.cg_encoder(graph)
        latent = torch.full((len(points), 8), 0.5)
        best = model.build(latent, condition, graph).atoms
        noise = torch.randn(len(points), NOISE, generator=torch.Generator().manual_seed(3))
        answers.append((best, model.build(latent, condition, graph, noise).atoms))
    (best, sample), (other, same) = answers
    assert (best[:, 3] - other[:, 3]).abs().max() > 0.1
    assert torch.equal(sample, same)


def test_a_sure_opinion_outweighs_the_decoder() -> None:
    model, points = tiny_model(), trace_tensors()[0]
    sector = 20
    for reader in model.peptides.readers:
        reader.judge[-1].bias.data[sector] = 50.0
    toward = sector_directions(points)[sector]
    assert ((rotations(model, points) * toward).sum(-1) > 0.99).all()
    assert torch.allclose(rotations(model, points).norm(dim=-1), torch.ones(len(points) - 1), atol=1e-5)


def test_the_answer_says_how_sure_it_is() -> None:
    model, points = tiny_model(), trace_tensors()[0]
    decoded, graph = drawn(model, points)
    assert decoded.concentration is None
    unsure = model.peptides.turned(decoded, graph, side_chains=False).concentration
    for reader in model.peptides.readers:
        reader.judge[-1].bias.data[20] = 50.0
    sure = model.peptides.turned(decoded, graph, side_chains=False).concentration
    assert (unsure < 0.51).all()
    assert (sure > 50.0).all()
    assert sure.isfinite().all()
    condition, latent = model.cg_encoder(graph), torch.full((len(points), 8), 0.5)
    assert torch.equal(model.build(latent, condition, graph).concentration, sure), "side chains keep it"
    noise = torch.randn(len(points), NOISE, generator=torch.Generator().manual_seed(3))
    assert model.build(latent, condition, graph, noise).concentration is None


def test_readers_judge_apart_and_their_mean_counts() -> None:
    model, points = awake(), trace_tensors()[0]
    decoded, graph = drawn(model, points)
    share = model.peptides(decoded, graph).exp()
    assert torch.allclose(share.sum(-1), torch.ones(len(model.peptides.readers), len(points)), atol=1e-4)
    assert (share[0] - share[1]).abs().max() > 0.01
    together = rotations(model, points)
    for reader in model.peptides.readers:
        alone = awake()
        alone.peptides.readers = torch.nn.ModuleList([reader])
        assert (rotations(alone, points) - together).abs().max() > 1e-3


def test_a_peptide_is_judged_by_where_the_decoder_has_those_around_it() -> None:
    model, points = awake(), trace_tensors()[0]
    decoded, graph = drawn(model, points)
    atoms = decoded.atoms.clone()
    atoms[12, 3] += 1.0
    before, after = (
        model.peptides(Decoded(x, decoded.internal, None), graph).exp() for x in (decoded.atoms, atoms)
    )
    moved = (after - before).abs().amax(dim=(0, 2))
    assert moved[10] > 1e-5, "a neighbour of the moved oxygen"
    assert moved[10] < 1.0


def test_encoders_begin_with_what_is_known_and_blind_to_hints() -> None:
    model, points = awake(), trace_tensors()[0]
    model.peptides.begin(model.cg_encoder)
    decoded, graph = drawn(model, points)
    reader = model.peptides.readers[0]
    shape = (*graph.pairs.shape[:2], reader.encoder.pair[0].in_features - graph.pairs.shape[-1])

    def told() -> torch.Tensor:
        hint = ExtraFeatures(reader.turns(torch.randn(len(points), 4)), torch.randn(shape))
        return reader.encoder.read(graph, hint)[0]

    assert torch.equal(told(), told())
    # Zeros do not change a sum, but how many numbers there are can change the order of adding them.
    assert torch.allclose(told(), model.cg_encoder.read(graph)[0], atol=1e-5)


def test_turning_the_trace_changes_nothing_and_a_mirror_image_does() -> None:
    model, points = awake(), trace_tensors()[0]
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2)))[0]
    turn = turn * torch.linalg.det(turn)
    assert torch.allclose(rotations(model, points @ turn.T), rotations(model, points), atol=1e-4)
    assert (rotations(model, points * MIRROR) - rotations(model, points)).abs().max() > 1e-2
