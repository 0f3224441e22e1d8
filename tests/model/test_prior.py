"""The mixture prior, the contrastive loss between its codes, and the KL divergence of Gaussians."""

from __future__ import annotations

import pytest
import torch
from tiny import TINY

from latcpb_cli.model.prior import MixturePrior, gaussian_kl


@pytest.fixture
def prior() -> MixturePrior:
    torch.manual_seed(0)
    return MixturePrior(TINY).requires_grad_(False)


def test_alignment_is_zero_on_the_component_of_the_code(prior: MixturePrior) -> None:
    """Where the posterior is the component, log q - log p = 0."""
    means, log_stds = prior.components()
    codes = torch.arange(8)
    own = prior.alignment_loss(means, log_stds, means, codes)
    assert own == pytest.approx(0.0, abs=1e-6)
    assert prior.alignment_loss(means, log_stds, means, codes.roll(1)) > own


def test_contrast_is_least_for_a_latent_in_the_direction_of_its_embedding(prior: MixturePrior) -> None:
    latent = 0.5 + 0.4 * torch.nn.functional.normalize(prior.code_embeddings.detach(), dim=-1)
    codes = torch.arange(8)
    assert prior.contrastive_loss(latent, codes) < 0.1 * prior.contrastive_loss(latent, codes.roll(1))


def test_gaussian_kl_equals_that_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = (
        torch.distributions.Normal(
            torch.randn(5, 3, generator=generator), torch.rand(5, 3, generator=generator) + 0.1
        )
        for _ in range(2)
    )
    expected = torch.distributions.kl_divergence(a, b).mean()
    kl = gaussian_kl(a.loc, a.scale.log(), b.loc, b.scale.log())
    assert kl == pytest.approx(float(expected), rel=1e-5)
