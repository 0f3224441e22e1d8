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

_N_FREQUENCIES = 32
_MAX_FREQUENCY = 200.0


class Denoiser(nn.Module):
    """Predicts the velocity v = sqrt(abar) eps - sqrt(1 - abar) z_0 (Salimans & Ho 2022).

    Noise and clean latent both follow from v without a division that diverges at one end of the schedule;
    `Schedule` converts.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.latent_projection = nn.Linear(config.latent, dim)
        self.condition_projection = nn.Linear(dim, dim)
        self.noise_level_embedding = nn.Sequential(
            nn.Linear(2 * _N_FREQUENCIES, dim), nn.SiLU(), nn.Linear(dim, dim)
        )
        self.transformer = NeighborTransformer(config, config.denoiser_layers, conditioned=True)
        self.output = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, config.latent))

    def forward(
        self,
        noisy: Float[Tensor, "L D"],
        time: Float[Tensor, "T"],
        condition: Condition,
        graph: Graph,
    ) -> Float[Tensor, "L D"]:
        """Predict the velocity.

        Parameters
        ----------
        noisy
            Latents z_t.
        time
            Noise level t / T in [0, 1], one for all residues or one for each.
        condition, graph
            Z^C, and the neighbourhoods.
        """
        noise_level = nn.functional.silu(self.noise_level_embedding(_fourier_features(time)))
        x = self.latent_projection(noisy) + self.condition_projection(condition.residues) + noise_level
        velocity: Tensor = self.output(self.transformer(x, condition.pairs, graph, noise_level))
        return velocity.float()


def _fourier_features(time: Float[Tensor, "T"]) -> Float[Tensor, "T 64"]:
    """Sines and cosines of geometrically spaced frequencies."""
    exponents = torch.linspace(0.0, math.log(_MAX_FREQUENCY), _N_FREQUENCIES, device=time.device)
    phase = time[:, None] * torch.exp(exponents) * math.pi
    return torch.cat([torch.sin(phase), torch.cos(phase)], dim=-1)
