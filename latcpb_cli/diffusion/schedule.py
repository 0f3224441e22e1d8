"""The noise schedule (eqs. 2 and 3), and the conversions between velocity, noise and clean latent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.config import DiffusionConfig

__all__ = ["Schedule"]


@dataclass(frozen=True, eq=False)
class Schedule:
    """Noise levels t = 0..T.

    Attributes
    ----------
    alpha_bar : Tensor, shape (T + 1,)
        Cumulative product of 1 - beta; one at t = 0.
    """

    alpha_bar: Float[Tensor, "levels"]

    @classmethod
    def from_config(cls, config: DiffusionConfig, device: torch.device | str = "cpu") -> Schedule:
        """Make a schedule with cosine (Nichol & Dhariwal 2021) or linear (Ho et al. 2020) betas."""
        steps = config.steps
        if config.schedule == "cosine":
            phase = (torch.arange(steps + 1, dtype=torch.float64) / steps + 0.008) / 1.008 * math.pi / 2
            curve = torch.cos(phase) ** 2
            beta = (1 - curve[1:] / curve[:-1]).clamp(max=0.999)
        else:
            beta = torch.linspace(0.1 / steps, 20.0 / steps, steps, dtype=torch.float64)
        alpha_bar = torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - beta, 0)])
        return cls(alpha_bar.float().to(device))

    @property
    def steps(self) -> int:
        """T, the number of noise levels above zero."""
        return len(self.alpha_bar) - 1

    def add_noise(self, clean: Tensor, noise: Tensor, step: Tensor | int) -> Tensor:
        """Return z_t of eq. 3: sqrt(abar) z_0 + sqrt(1 - abar) eps."""
        signal_scale, noise_scale = self.scales(step)
        return signal_scale * clean + noise_scale * noise

    def velocity(self, clean: Tensor, noise: Tensor, step: Tensor | int) -> Tensor:
        """Return the training target of the denoiser, v = sqrt(abar) eps - sqrt(1 - abar) z_0."""
        signal_scale, noise_scale = self.scales(step)
        return signal_scale * noise - noise_scale * clean

    def clean_from_velocity(self, noisy: Tensor, velocity: Tensor, step: Tensor | int) -> Tensor:
        """Return z_0, given z_t and its velocity."""
        signal_scale, noise_scale = self.scales(step)
        return signal_scale * noisy - noise_scale * velocity

    def noise_from_velocity(self, noisy: Tensor, velocity: Tensor, step: Tensor | int) -> Tensor:
        """Return eps_theta of eqs. 8 and 16, given z_t and its velocity."""
        signal_scale, noise_scale = self.scales(step)
        return noise_scale * noisy + signal_scale * velocity

    def scales(self, step: Tensor | int) -> tuple[Tensor, Tensor]:
        """Return sqrt(abar) and sqrt(1 - abar) of integer noise levels, shaped (..., 1).

        A plain integer causes no synchronisation with a GPU; a tensor made of it would.
        """
        alpha_bar = self.alpha_bar[step][..., None]
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
