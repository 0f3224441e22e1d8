"""Codes, the mixture prior and the contrast between its modes."""

from __future__ import annotations

import math

import pytest
import torch
from tiny import TINY

from latcpb_cli.model.codes import code_probabilities, draw_codes, perplexity, usage_loss
from latcpb_cli.model.prior import MixturePrior, gaussian_kl


def test_codes_are_drawn_in_proportion_to_the_latent() -> None:
    latent = torch.tensor([0.1, 0.3, 0.6, 0.0]).expand(20000, 4)
    drawn = torch.bincount(draw_codes(latent, torch.Generator().manual_seed(0)), minlength=4) / 20000
    assert torch.allclose(drawn, torch.tensor([0.1, 0.3, 0.6, 0.0]), atol=0.02)
    assert torch.allclose(code_probabilities(latent).sum(-1), torch.ones(20000))


def test_perplexity_counts_codes_in_use() -> None:
    assert perplexity(torch.tensor([5.0, 5.0, 5.0, 5.0])) == pytest.approx(4.0)
    assert perplexity(torch.tensor([5.0, 0.0, 0.0, 0.0])) == pytest.approx(1.0)


def test_usage_loss_prefers_decided_residues_and_living_codes() -> None:
    decided = torch.eye(4).repeat(5, 1).clamp(min=1e-3)
    same = torch.eye(4)[:1].repeat(20, 1).clamp(min=1e-3)
    vague = torch.full((20, 4), 0.5)
    assert usage_loss(decided) == pytest.approx(-math.log(4), abs=0.05)
    assert usage_loss(decided) < usage_loss(vague) - 1.0
    assert usage_loss(decided) < usage_loss(same) - 1.0


def test_alignment_is_least_on_the_component_of_the_code() -> None:
    torch.manual_seed(0)
    prior = MixturePrior(TINY)
    with torch.no_grad():
        centers, widths = prior.components()
        own = prior.alignment(centers, widths, centers, torch.arange(8))
        other = prior.alignment(centers, widths, centers, torch.arange(8).roll(1))
    assert own == pytest.approx(0.0, abs=1e-6)  # the posterior is the component: log q - log p = 0
    assert other > own


def test_contrast_is_least_for_a_latent_beside_its_own_embedding() -> None:
    torch.manual_seed(0)
    prior = MixturePrior(TINY)
    latent = 0.5 + 0.4 * torch.nn.functional.normalize(prior.embeddings.detach(), dim=-1)
    right = prior.contrast(latent, torch.arange(8))
    wrong = prior.contrast(latent, torch.arange(8).roll(1))
    assert right < 0.1 * wrong


def test_gaussian_kl_matches_torch() -> None:
    a, b = (torch.distributions.Normal(torch.randn(5, 3), torch.rand(5, 3) + 0.1) for _ in range(2))
    expected = torch.distributions.kl_divergence(a, b).mean()
    assert gaussian_kl(a.loc, a.scale.log(), b.loc, b.scale.log()) == pytest.approx(float(expected), rel=1e-5)
