"""Samplers: from noise to latents, a visible formula each.

Every sampler takes ``denoise(z_t, step) -> velocity`` and a source of noise,
and knows nothing of proteins.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from latcpb_cli.diffusion.schedule import Schedule

__all__ = ["Denoise", "sample_ancestral", "sample_dpm_solver", "solver_steps"]

Denoise = Callable[[Tensor, int], Tensor]
Noise = Callable[[], Tensor]


def sample_ancestral(denoise: Denoise, noise: Noise, schedule: Schedule) -> Tensor:
    """Eq. 8, all T steps, with rho_t the posterior's standard deviation (Ho et al. 2020)."""
    z = noise()
    for t in range(schedule.steps, 0, -1):
        before, now = schedule.alpha_bar[t - 1], schedule.alpha_bar[t]
        beta = 1 - now / before
        eps = schedule.noise(z, denoise(z, t), torch.tensor(t, device=z.device))
        z = (z - beta / (1 - now).sqrt() * eps) / (1 - beta).sqrt()
        if t > 1:
            rho = ((1 - before) / (1 - now) * beta).sqrt()
            z = z + rho * noise()
    return z


def solver_steps(schedule: Schedule, count: int) -> list[int]:
    """``count`` + 1 falling steps from T to 0, evenly spaced."""
    return [round(schedule.steps * (count - i) / count) for i in range(count + 1)]


def sample_dpm_solver(
    denoise: Denoise, noise: Noise, schedule: Schedule, *, steps: int, temperature: float = 1.0
) -> Tensor:
    """DPM-Solver++ 2M (Lu et al. 2022, arXiv:2211.01095, algorithm 2).

    Parameters
    ----------
    steps
        Evaluations of the denoiser.
    temperature
        Scale of the starting noise; zero follows the most probable path only.
    """
    z = temperature * noise()
    grid = solver_steps(schedule, steps)
    signal, spread = schedule.scales(torch.tensor(grid, device=z.device))
    half_snr = (signal.clamp(min=1e-6) / spread.clamp(min=1e-6)).log()
    last: Tensor | None = None
    for i in range(steps):
        clean = schedule.clean(z, denoise(z, grid[i]), torch.tensor(grid[i], device=z.device))
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
