"""Schedules and samplers on a distribution whose perfect denoiser is known."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.config import DiffusionConfig
from latcpb_cli.diffusion.sampler import Sampling, sample, sample_ancestral, sample_dpm_solver
from latcpb_cli.diffusion.schedule import Schedule

MEAN, SPREAD = 0.7, 0.4


def perfect(schedule: Schedule):
    """The velocity that knows the data to be N(MEAN, SPREAD²)."""

    def denoise(noisy: torch.Tensor, step: int) -> torch.Tensor:
        alpha_bar = schedule.alpha_bar[step]
        signal, spread = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
        gain = signal * SPREAD**2 / (alpha_bar * SPREAD**2 + 1 - alpha_bar)
        clean = MEAN + gain * (noisy - signal * MEAN)
        noise = (noisy - signal * clean) / spread
        return signal * noise - spread * clean

    return denoise


def noise_source(seed: int = 0, count: int = 20000):
    generator = torch.Generator().manual_seed(seed)
    return lambda: torch.randn(count, 1, generator=generator)


@pytest.mark.parametrize("kind", ["cosine", "linear"])
def test_schedule_runs_from_signal_to_noise(kind: str) -> None:
    schedule = Schedule.from_config(DiffusionConfig(steps=200, schedule=kind))
    assert schedule.steps == 200
    assert schedule.alpha_bar[0] == 1.0
    assert (schedule.alpha_bar.diff() < 0).all()
    assert schedule.alpha_bar[-1] < 1e-3


def test_velocity_gives_back_noise_and_signal() -> None:
    schedule = Schedule.from_config(DiffusionConfig(steps=50))
    clean, noise = torch.randn(7, 3), torch.randn(7, 3)
    step = torch.tensor([1, 5, 10, 20, 30, 40, 50])
    noisy, velocity = schedule.add_noise(clean, noise, step), schedule.velocity(clean, noise, step)
    assert torch.allclose(schedule.clean(noisy, velocity, step), clean, atol=1e-5)
    assert torch.allclose(schedule.noise(noisy, velocity, step), noise, atol=1e-5)


@pytest.mark.parametrize("steps, tolerance", [(0, 0.02), (8, 0.03), (30, 0.02)])
def test_samplers_draw_the_distribution_they_are_shown(steps: int, tolerance: float) -> None:
    schedule = Schedule.from_config(DiffusionConfig(steps=200))
    drawn = sample(perfect(schedule), noise_source(), schedule, Sampling(steps))
    assert float(drawn.mean()) == pytest.approx(MEAN, abs=tolerance)
    assert float(drawn.std()) == pytest.approx(SPREAD, abs=tolerance)


def test_zero_temperature_gives_the_mean() -> None:
    schedule = Schedule.from_config(DiffusionConfig(steps=200))
    drawn = sample_dpm_solver(perfect(schedule), noise_source(), schedule, steps=6, temperature=0.0)
    assert torch.allclose(drawn, torch.full_like(drawn, MEAN), atol=0.02)


def test_ancestral_steps_follow_equation_8() -> None:
    """Two levels written out by hand, with the noise predicted as zero."""
    alpha_bar = torch.tensor([1.0, 0.8, 0.3])
    schedule = Schedule(alpha_bar)
    draws = iter([torch.tensor([[1.5]]), torch.tensor([[-0.4]])])

    def denoise(noisy: torch.Tensor, step: int) -> torch.Tensor:
        now = alpha_bar[step]
        return -((1 - now) / now).sqrt() * noisy  # the velocity at which eps is zero

    beta = 1 - alpha_bar[2] / alpha_bar[1]
    rho = ((1 - alpha_bar[1]) / (1 - alpha_bar[2]) * beta).sqrt()
    first = 1.5 / (1 - beta).sqrt() + rho * -0.4
    expected = first / alpha_bar[1].sqrt()
    assert sample_ancestral(denoise, lambda: next(draws), schedule).item() == pytest.approx(
        float(expected), rel=1e-5
    )
