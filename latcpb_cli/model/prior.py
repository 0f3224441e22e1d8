"""The learnable multimodal prior (eqs. 10 and 11), and the contrastive loss between its codes (eq. 14)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig

__all__ = ["MixturePrior", "gaussian_kl"]


class MixturePrior(nn.Module):
    """One Gaussian per code (eq. 10), from learnable embeddings z^s through a shared encoder.

    A one-hot code activates exactly one component, so the mixture of eq. 10 is that component.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.code_embeddings = nn.Parameter(torch.randn(config.latent, config.latent) * 0.1)
        self.component_encoder = nn.Sequential(
            nn.Linear(config.latent, 128), nn.SiLU(), nn.Linear(128, 2 * config.latent)
        )
        self.temperature = config.contrast_temperature

    def components(self) -> tuple[Float[Tensor, "D D"], Float[Tensor, "D D"]]:
        """Return means (in (0, 1)) and log standard deviations of all components, one row per code."""
        mean, log_std = self.component_encoder(self.code_embeddings).chunk(2, dim=-1)
        return torch.sigmoid(mean), (log_std - 1.2).clamp(-3.0, 0.0)

    def alignment_loss(
        self,
        mean: Float[Tensor, "L D"],
        log_std: Float[Tensor, "L D"],
        latent: Float[Tensor, "L D"],
        codes: Int[Tensor, "L"],
    ) -> Float[Tensor, ""]:
        """Return L_M of eq. 11, log q(z | Q, x) - log p(z | code), per residue and dimension.

        Parameters
        ----------
        mean, log_std
            Posterior q of each residue.
        latent
            z, a sample of the posterior.
        codes
            Code of each residue.
        """
        prior_mean, prior_log_std = (part[codes] for part in self.components())
        posterior = -0.5 * ((latent - mean) / log_std.exp()) ** 2 - log_std
        prior = -0.5 * ((latent - prior_mean) / prior_log_std.exp()) ** 2 - prior_log_std
        return (posterior - prior).mean()

    def contrastive_loss(self, latent: Float[Tensor, "L D"], codes: Int[Tensor, "L"]) -> Float[Tensor, ""]:
        """Return L_C of eq. 14, with the cosine of latent and embedding as the product a . b.

        The latent is centred and both sides are scaled to length one: the components of the latent are
        positive, so that the products of the paper could not become negative.
        """
        query = nn.functional.normalize(latent - 0.5, dim=-1)
        keys = nn.functional.normalize(self.code_embeddings, dim=-1)
        return nn.functional.cross_entropy(query @ keys.T / self.temperature, codes)


def gaussian_kl(
    mean: Float[Tensor, "L D"],
    log_std: Float[Tensor, "L D"],
    other_mean: Float[Tensor, "L D"],
    other_log_std: Float[Tensor, "L D"],
) -> Float[Tensor, ""]:
    """Return the KL divergence of two diagonal Gaussians per residue and dimension (L_K of eq. 15)."""
    ratio = (log_std - other_log_std).exp()
    shift = (mean - other_mean) * (-other_log_std).exp()
    return (0.5 * (ratio**2 + shift**2 - 1.0) + other_log_std - log_std).mean()
