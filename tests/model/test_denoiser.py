"""The denoiser: one noise level for all residues, or one for each."""

from __future__ import annotations

import torch
from tiny import perturb, random_latent, tiny_model, trace_tensors


def test_velocities_depend_on_noise_level_latent_and_condition() -> None:
    model, (ca, types, linked) = tiny_model(), trace_tensors()
    assert model.denoiser is not None
    perturb(model.denoiser, seed=1)
    graph = model.build_graph(ca, types, linked, [len(ca)])
    condition = model.cg_encoder(graph)
    other = model.cg_encoder(model.build_graph(ca, types.flip(0), linked, [len(ca)]))
    noisy, time = random_latent(), torch.tensor([0.5])
    velocity = model.denoiser(noisy, time, condition, graph)
    assert torch.allclose(model.denoiser(noisy, time.expand(len(ca)), condition, graph), velocity, atol=1e-5)
    for changed in (
        model.denoiser(noisy, time + 0.3, condition, graph),
        model.denoiser(random_latent(1), time, condition, graph),
        model.denoiser(noisy, time, other, graph),
    ):
        assert (changed - velocity).abs().max() > 1e-2
