"""The paper's model: conditions, scaling and sampling of latents."""

from __future__ import annotations

import pytest
import torch
from rotations import MIRROR, random_rotation
from tiny import random_latent, tiny_model, trace_tensors

from latcpb_cli.diffusion.noise import FrameNoise
from latcpb_cli.diffusion.sampler import SamplerSettings
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.latcpb import LatCPB


def graph_of(model: LatCPB, ca: torch.Tensor) -> Graph:
    _, types, linked = trace_tensors()
    return model.build_graph(ca, types, linked, [len(ca)])


def test_the_condition_does_not_change_with_rotation_and_changes_with_reflection() -> None:
    model, ca = tiny_model(), trace_tensors()[0]
    original, rotated, mirrored = (
        model.cg_encoder(graph_of(model, points)).residues
        for points in (ca, ca @ random_rotation(2).T, ca * MIRROR)
    )
    assert torch.allclose(original, rotated, atol=1e-4)
    assert (original - mirrored).abs().max() > 1e-3


def test_structures_of_a_batch_do_not_affect_each_other() -> None:
    model, (ca, types, linked) = tiny_model(), trace_tensors()
    length = len(ca)
    alone = model.cg_encoder(graph_of(model, ca)).residues
    both = torch.cat([ca, ca.flip(0) + 1.0])
    for second in (length, 5):
        count = length + second
        columns = both[:count], types.repeat(2)[:count], linked.repeat(2)[:count]
        together = model.cg_encoder(model.build_graph(*columns, [length, second])).residues
        assert torch.allclose(together[:length], alone, atol=1e-5)


def test_normalize_and_denormalize_are_inverse_and_stay_in_the_range_of_the_sigmoid() -> None:
    model = tiny_model()
    latent = random_latent()
    assert torch.allclose(model.denormalize(model.normalize(latent)), latent, atol=1e-6)
    restored = model.denormalize(torch.tensor([[-99.0] * 8, [99.0] * 8]))
    assert restored.tolist() == [[0.0] * 8, [1.0] * 8]


@pytest.mark.parametrize("diffusion", [True, False])
def test_sampled_latents_follow_the_noise(diffusion: bool) -> None:
    model, ca = tiny_model(diffusion=diffusion), trace_tensors()[0]
    schedule = Schedule.from_config(model.config.schedule)
    graph = graph_of(model, ca)
    condition = model.cg_encoder(graph)

    def sample(seed: int, temperature: float = 1.0) -> torch.Tensor:
        noise = FrameNoise(seed, 0, [0], len(ca))
        settings = SamplerSettings(steps=4, temperature=temperature)
        return model.sample_latent(noise, condition, graph, schedule, settings)

    assert torch.equal(sample(1), sample(1))
    assert (sample(1) - sample(2)).abs().max() > 1e-3
    assert torch.equal(sample(1, temperature=0.0), sample(2, temperature=0.0))


def test_without_diffusion_the_expected_latent_is_the_mean_of_the_cg_encoder() -> None:
    model, ca = tiny_model(diffusion=False), trace_tensors()[0]
    schedule = Schedule.from_config(model.config.schedule)
    graph = graph_of(model, ca)
    condition = model.cg_encoder(graph)
    mean, _ = model.cg_encoder.latent_gaussian(condition)
    assert torch.equal(model.expected_latent(condition, graph, schedule), mean)
    with pytest.raises(RuntimeError, match="no diffusion model"):
        model.predict_velocity(mean, torch.tensor([1]), condition, graph)
