"""The noise schedule (eqs. 2, 3) and what a velocity says of noise and signal."""

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

    alpha_bar: Float[Tensor, "T1"]

    @classmethod
    def from_config(cls, config: DiffusionConfig, device: torch.device | str = "cpu") -> Schedule:
        """Cosine (Nichol & Dhariwal 2021) or linear (Ho et al. 2020) betas."""
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
        """T."""
        return len(self.alpha_bar) - 1

    def add_noise(self, clean: Tensor, noise: Tensor, step: Tensor | int) -> Tensor:
        """z_t of eq. 3: sqrt(abar) z_0 + sqrt(1 - abar) eps."""
        signal, spread = self.scales(step)
        return signal * clean + spread * noise

    def velocity(self, clean: Tensor, noise: Tensor, step: Tensor | int) -> Tensor:
        """Training target of the denoiser."""
        signal, spread = self.scales(step)
        return signal * noise - spread * clean

    def clean(self, noisy: Tensor, velocity: Tensor, step: Tensor | int) -> Tensor:
        """z_0 from z_t and a velocity."""
        signal, spread = self.scales(step)
        return signal * noisy - spread * velocity

    def noise(self, noisy: Tensor, velocity: Tensor, step: Tensor | int) -> Tensor:
        """eps_theta of eqs. 8 and 16, from z_t and a velocity."""
        signal, spread = self.scales(step)
        return spread * noisy + signal * velocity

    def scales(self, step: Tensor | int) -> tuple[Tensor, Tensor]:
        """sqrt(abar) and sqrt(1 - abar) at integer steps, shaped (..., 1).

        A plain number does not stop a GPU, as a tensor made of it would.
        """
        alpha_bar = self.alpha_bar[step][..., None]
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
