"""Samplers from noise to latents: ancestral sampling (eq. 8) and DPM-Solver++ 2M.

A sampler takes a function ``denoise(z_t, step) -> velocity`` and a function that returns noise. It is
independent of the network and of proteins.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from latcpb_cli.diffusion.schedule import Schedule

__all__ = [
    "Denoise",
    "NoiseSampler",
    "SamplerSettings",
    "sample",
    "sample_ancestral",
    "sample_dpm_solver",
    "solver_steps",
]

Denoise = Callable[[Tensor, int], Tensor]
"""Velocity at z_t and noise level t."""
NoiseSampler = Callable[[], Tensor]
"""New standard normal numbers in the shape of the latents."""


@dataclass(frozen=True)
class SamplerSettings:
    """Choice of a sampler.

    Attributes
    ----------
    steps : int
        Evaluations of the denoiser by DPM-Solver++; 0 for eq. 8 itself, all T steps.
    temperature : float
        Factor of the noise.
    """

    steps: int
    temperature: float = 1.0


def sample(denoise: Denoise, noise: NoiseSampler, schedule: Schedule, settings: SamplerSettings) -> Tensor:
    """Sample latents by the sampler that ``settings`` choose."""
    if settings.steps == 0:
        return sample_ancestral(denoise, lambda: settings.temperature * noise(), schedule)
    return sample_dpm_solver(denoise, noise, schedule, steps=settings.steps, temperature=settings.temperature)


def sample_ancestral(denoise: Denoise, noise: NoiseSampler, schedule: Schedule) -> Tensor:
    """Sample by eq. 8 in all T steps; rho_t is the posterior's standard deviation (Ho et al. 2020)."""
    z = noise()
    for t in range(schedule.steps, 0, -1):
        alpha_bar_prev, alpha_bar = schedule.alpha_bar[t - 1], schedule.alpha_bar[t]
        beta = 1 - alpha_bar / alpha_bar_prev
        eps = schedule.noise_from_velocity(z, denoise(z, t), t)
        z = (z - beta / (1 - alpha_bar).sqrt() * eps) / (1 - beta).sqrt()
        if t > 1:
            rho = ((1 - alpha_bar_prev) / (1 - alpha_bar) * beta).sqrt()
            z = z + rho * noise()
    return z


def solver_steps(schedule: Schedule, count: int) -> list[int]:
    """Return ``count`` + 1 falling noise levels from T to 0, closer together near 0.

    The last evaluation returns the mean of the clean latent, without the variance that the noise of its
    level hides: its level must be low.
    """
    return [math.ceil(schedule.steps * ((count - i) / count) ** 1.5) for i in range(count + 1)]


def sample_dpm_solver(
    denoise: Denoise, noise: NoiseSampler, schedule: Schedule, *, steps: int, temperature: float = 1.0
) -> Tensor:
    """Sample by DPM-Solver++ 2M (Lu et al. 2022, arXiv:2211.01095, algorithm 2).

    Parameters
    ----------
    steps
        Evaluations of the denoiser.
    temperature
        Factor of the initial noise; zero starts from the mean.
    """
    z = temperature * noise()
    levels = solver_steps(schedule, steps)
    signal, sigma = zip(*(schedule.scales(level) for level in levels), strict=True)
    # Half the logarithm of the signal-to-noise ratio: lambda of the algorithm.
    half_log_snr = [(s.clamp(min=1e-6) / n.clamp(min=1e-6)).log() for s, n in zip(signal, sigma, strict=True)]
    previous: Tensor | None = None
    for i in range(steps):
        clean = schedule.clean_from_velocity(z, denoise(z, levels[i]), levels[i])
        if i == steps - 1:
            return clean
        stride = half_log_snr[i + 1] - half_log_snr[i]
        extrapolated = clean
        if previous is not None:
            ratio = (half_log_snr[i] - half_log_snr[i - 1]) / stride
            extrapolated = clean + (clean - previous) / (2 * ratio)
        z = sigma[i + 1] / sigma[i] * z - signal[i + 1] * torch.expm1(-stride) * extrapolated
        previous = clean
    return z
