"""Samplers on a distribution for which the exact denoiser is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from latcpb_cli.config import DiffusionConfig
from latcpb_cli.diffusion.sampler import (
    SamplerSettings,
    sample,
    sample_ancestral,
    sample_dpm_solver,
    solver_steps,
)
from latcpb_cli.diffusion.schedule import Schedule

MEAN, STD = 0.7, 0.4


def exact_denoiser(schedule: Schedule) -> Callable[[torch.Tensor, int], torch.Tensor]:
    """The expected velocity where the data are N(MEAN, STD²)."""

    def denoise(noisy: torch.Tensor, step: int) -> torch.Tensor:
        alpha_bar = schedule.alpha_bar[step]
        signal_scale, noise_scale = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
        gain = signal_scale * STD**2 / (alpha_bar * STD**2 + 1 - alpha_bar)
        clean = MEAN + gain * (noisy - signal_scale * MEAN)
        noise = (noisy - signal_scale * clean) / noise_scale
        return signal_scale * noise - noise_scale * clean

    return denoise


def normal_noise(seed: int = 0, count: int = 20000) -> Callable[[], torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return lambda: torch.randn(count, 1, generator=generator)


@pytest.mark.parametrize("steps, tolerance", [(0, 0.02), (8, 0.03), (30, 0.02)])
def test_samplers_reproduce_the_distribution_of_the_denoiser(steps: int, tolerance: float) -> None:
    schedule = Schedule.from_config(DiffusionConfig(steps=200))
    latents = sample(exact_denoiser(schedule), normal_noise(), schedule, SamplerSettings(steps))
    assert float(latents.mean()) == pytest.approx(MEAN, abs=tolerance)
    assert float(latents.std()) == pytest.approx(STD, abs=tolerance)


def test_zero_temperature_gives_the_mean() -> None:
    schedule = Schedule.from_config(DiffusionConfig(steps=200))
    latents = sample_dpm_solver(exact_denoiser(schedule), normal_noise(), schedule, steps=6, temperature=0.0)
    assert torch.allclose(latents, torch.full_like(latents, MEAN), atol=0.02)


@pytest.mark.parametrize("count", [1, 2, 10])
def test_solver_steps_fall_from_the_last_level_to_zero(count: int) -> None:
    levels = solver_steps(Schedule.from_config(DiffusionConfig(steps=1000)), count)
    assert levels[0] == 1000
    assert levels[-1] == 0
    assert len(levels) == count + 1
    assert all(one > other for one, other in zip(levels, levels[1:], strict=False))


def test_ancestral_steps_follow_equation_8() -> None:
    """Two levels by hand: abar = 0.8, 0.3, with the noise predicted as zero."""
    schedule = Schedule(torch.tensor([1.0, 0.8, 0.3]))
    noise = iter([torch.tensor([[1.5]]), torch.tensor([[-0.4]])])

    def denoise(noisy: torch.Tensor, step: int) -> torch.Tensor:
        alpha_bar = schedule.alpha_bar[step]
        return -((1 - alpha_bar) / alpha_bar).sqrt() * noisy  # the velocity at which eps is zero

    # beta_2 = 1 - 0.3 / 0.8 = 0.625; z_1 = 1.5 / sqrt(0.375) - 0.4 sqrt(0.2 / 0.7 * 0.625) = 2.2804
    # beta_1 = 0.2; z_0 = z_1 / sqrt(0.8)
    assert sample_ancestral(denoise, lambda: next(noise), schedule).item() == pytest.approx(2.5497, abs=1e-3)
