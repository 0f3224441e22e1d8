"""Samplers: from noise to latents, a visible formula each.

Every sampler takes ``denoise(z_t, step) -> velocity`` and a source of noise,
and knows nothing of proteins.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from latcpb_cli.diffusion.schedule import Schedule

__all__ = ["Denoise", "SamplerSettings", "sample", "sample_ancestral", "sample_dpm_solver", "solver_steps"]

Denoise = Callable[[Tensor, int], Tensor]
Noise = Callable[[], Tensor]


@dataclass(frozen=True)
class SamplerSettings:
    """How to draw latents.

    Attributes
    ----------
    steps : int
        Evaluations of the denoiser by DPM-Solver++; 0 for eq. 8 itself, all T steps.
    temperature : float
        Scale of the noise.
    """

    steps: int
    temperature: float = 1.0


def sample(denoise: Denoise, noise: Noise, schedule: Schedule, settings: SamplerSettings) -> Tensor:
    """Draw latents as ``settings`` say."""
    if settings.steps == 0:
        return sample_ancestral(denoise, lambda: settings.temperature * noise(), schedule)
    return sample_dpm_solver(denoise, noise, schedule, steps=settings.steps, temperature=settings.temperature)


def sample_ancestral(denoise: Denoise, noise: Noise, schedule: Schedule) -> Tensor:
    """Eq. 8, all T steps, with rho_t the posterior's standard deviation (Ho et al. 2020)."""
    z = noise()
    for t in range(schedule.steps, 0, -1):
        before, now = schedule.alpha_bar[t - 1], schedule.alpha_bar[t]
        beta = 1 - now / before
        eps = schedule.noise(z, denoise(z, t), t)
        z = (z - beta / (1 - now).sqrt() * eps) / (1 - beta).sqrt()
        if t > 1:
            rho = ((1 - before) / (1 - now) * beta).sqrt()
            z = z + rho * noise()
    return z


def solver_steps(schedule: Schedule, count: int) -> list[int]:
    """``count`` + 1 falling steps from T to 0, closer together near 0.

    The last evaluation returns the mean of the clean latent, which loses the
    spread that noise still hides: it must come late.
    """
    return [math.ceil(schedule.steps * ((count - i) / count) ** 1.5) for i in range(count + 1)]


def sample_dpm_solver(
    denoise: Denoise, noise: Noise, schedule: Schedule, *, steps: int, temperature: float = 1.0
) -> Tensor:
    """DPM-Solver++ 2M (Lu et al. 2022, arXiv:2211.01095, algorithm 2).

    Parameters
    ----------
    steps
        Evaluations of the denoiser.
    temperature
        Scale of the starting noise; zero starts from the mean.
    """
    z = temperature * noise()
    grid = solver_steps(schedule, steps)
    signal, spread = zip(*(schedule.scales(step) for step in grid), strict=True)
    half_snr = [(s.clamp(min=1e-6) / n.clamp(min=1e-6)).log() for s, n in zip(signal, spread, strict=True)]
    last: Tensor | None = None
    for i in range(steps):
        clean = schedule.clean(z, denoise(z, grid[i]), grid[i])
        if i == steps - 1:
            return clean
        stride = half_snr[i + 1] - half_snr[i]
        guess = clean
        if last is not None:
            ratio = (half_snr[i] - half_snr[i - 1]) / stride
            guess = clean + (clean - last) / (2 * ratio)
        z = spread[i + 1] / spread[i] * z - signal[i + 1] * torch.expm1(-stride) * guess
        last = clean
    return z
