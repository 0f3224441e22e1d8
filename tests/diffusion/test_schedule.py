"""Noise schedules, and conversions between velocity, noise and clean latent."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.config import DiffusionConfig
from latcpb_cli.diffusion.schedule import Schedule


@pytest.mark.parametrize("shape", ["cosine", "linear"])
def test_schedules_fall_from_signal_to_noise(shape: str) -> None:
    schedule = Schedule.from_config(DiffusionConfig(steps=200, schedule=shape))
    assert schedule.steps == 200
    assert schedule.alpha_bar[0] == 1.0
    assert (schedule.alpha_bar.diff() < 0).all()
    assert schedule.alpha_bar[-1] < 1e-3


def test_a_velocity_determines_noise_and_clean_latent() -> None:
    schedule = Schedule.from_config(DiffusionConfig(steps=50))
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(7, 3, generator=generator), torch.randn(7, 3, generator=generator)
    step = torch.tensor([1, 5, 10, 20, 30, 40, 50])
    noisy, velocity = schedule.add_noise(clean, noise, step), schedule.velocity(clean, noise, step)
    assert torch.allclose(schedule.clean_from_velocity(noisy, velocity, step), clean, atol=1e-5)
    assert torch.allclose(schedule.noise_from_velocity(noisy, velocity, step), noise, atol=1e-5)


def test_noisy_latents_have_unit_variance_at_every_level() -> None:
    schedule = Schedule.from_config(DiffusionConfig(steps=50))
    signal, noise = schedule.scales(torch.arange(51))
    assert torch.allclose(signal**2 + noise**2, torch.ones(51, 1), atol=1e-6)
