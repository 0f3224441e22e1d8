"""The transformer that removes noise from latents, given the condition (eq. 16)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.graph import Graph

__all__ = ["Denoiser"]


class Denoiser(nn.Module):
    """Predicts the velocity v = sqrt(abar) eps - sqrt(1 - abar) z0 (Salimans & Ho 2022).

    Noise and clean latent both follow from v without a division that blows up
    at either end of the schedule; ``diffusion.schedule`` converts.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.latent_projection = nn.Linear(config.latent, dim)
        self.condition_projection = nn.Linear(dim, dim)
        self.noise_level_embedding = nn.Sequential(nn.Linear(64, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.transformer = NeighborTransformer(config, config.denoiser_layers, conditioned=True)
        self.output = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, config.latent))

    def forward(
        self,
        noisy: Float[Tensor, "L D"],
        time: Float[Tensor, "T"],
        condition: Condition,
        graph: Graph,
    ) -> Float[Tensor, "L D"]:
        """Velocity at noise level ``time`` in [0, 1] (step / T), one for all residues or one for each."""
        level = nn.functional.silu(self.noise_level_embedding(_waves(time)))
        x = self.latent_projection(noisy) + self.condition_projection(condition.residues) + level
        return self.output(self.transformer(x, condition.pairs, graph, level)).float()


def _waves(time: Float[Tensor, "T"]) -> Float[Tensor, "T 64"]:
    frequencies = torch.exp(torch.linspace(0.0, math.log(200.0), 32, device=time.device))
    phase = time[:, None] * frequencies * math.pi
    return torch.cat([torch.sin(phase), torch.cos(phase)], dim=-1)
