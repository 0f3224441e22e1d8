"""The learnable multimodal prior and the contrast between its modes."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig

__all__ = ["MixturePrior", "gaussian_kl"]


class MixturePrior(nn.Module):
    """One Gaussian per code (eq. 10), from learnable embeddings z^s through a shared encoder.

    A one-hot code activates exactly one component, so the mixture of eq. 10
    is that component.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.code_embeddings = nn.Parameter(torch.randn(config.latent, config.latent) * 0.1)
        self.component_encoder = nn.Sequential(
            nn.Linear(config.latent, 128), nn.SiLU(), nn.Linear(128, 2 * config.latent)
        )
        self.temperature = config.contrast_temperature

    def components(self) -> tuple[Float[Tensor, "D D"], Float[Tensor, "D D"]]:
        """Means (in (0, 1)) and log standard deviations of all components."""
        mean, log_std = self.component_encoder(self.code_embeddings).chunk(2, dim=-1)
        return torch.sigmoid(mean), (log_std - 1.2).clamp(-3.0, 0.0)

    def alignment(
        self,
        mean: Float[Tensor, "L D"],
        log_std: Float[Tensor, "L D"],
        drawn: Float[Tensor, "L D"],
        codes: Int[Tensor, "L"],
    ) -> Tensor:
        """L_M of eq. 11: log q(z | Q, x) - log p(z | code) at the drawn latent, per dimension."""
        centers, widths = (part[codes] for part in self.components())
        posterior = -0.5 * ((drawn - mean) / log_std.exp()) ** 2 - log_std
        prior = -0.5 * ((drawn - centers) / widths.exp()) ** 2 - widths
        return (posterior - prior).mean()

    def contrast(self, latent: Float[Tensor, "L D"], codes: Int[Tensor, "L"]) -> Tensor:
        """L_C of eq. 14 with similarity exp(a . b / temperature).

        The latent is centred and both sides are scaled to length one, so that
        sigmoids, which are all positive, can point away from each other.
        """
        own = nn.functional.normalize(latent - 0.5, dim=-1)
        theirs = nn.functional.normalize(self.code_embeddings, dim=-1)
        return nn.functional.cross_entropy(own @ theirs.T / self.temperature, codes)


def gaussian_kl(mean: Tensor, log_std: Tensor, other_mean: Tensor, other_log_spread: Tensor) -> Tensor:
    """KL of two diagonal Gaussians, averaged over residues and dimensions (L_K of eq. 15)."""
    ratio = (log_std - other_log_spread).exp()
    shift = (mean - other_mean) * (-other_log_spread).exp()
    return (0.5 * (ratio**2 + shift**2 - 1.0) + other_log_spread - log_std).mean()
