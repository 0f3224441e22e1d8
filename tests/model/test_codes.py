"""Codes: how they are sampled, and how many are in use."""

from __future__ import annotations

import math

import pytest
import torch

from latcpb_cli.model.codes import code_probabilities, perplexity, sample_codes, usage_loss


def test_codes_are_sampled_in_proportion_to_the_latent() -> None:
    latent = torch.tensor([0.1, 0.3, 0.6, 0.0]).expand(20000, 4)
    codes = sample_codes(latent, torch.Generator().manual_seed(0))
    frequency = torch.bincount(codes, minlength=4) / 20000
    assert torch.allclose(frequency, torch.tensor([0.1, 0.3, 0.6, 0.0]), atol=0.02)


def test_probabilities_of_codes_add_up_to_one() -> None:
    latent = torch.rand(50, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(code_probabilities(latent).sum(-1), torch.ones(50))


def test_perplexity_counts_codes_in_use() -> None:
    assert perplexity(torch.tensor([5.0, 5.0, 5.0, 5.0])) == pytest.approx(4.0)
    assert perplexity(torch.tensor([5.0, 0.0, 0.0, 0.0])) == pytest.approx(1.0)


def test_usage_loss_is_least_for_certain_residues_and_equally_common_codes() -> None:
    certain = torch.eye(4).repeat(5, 1).clamp(min=1e-3)
    one_code = torch.eye(4)[:1].repeat(20, 1).clamp(min=1e-3)
    uncertain = torch.full((20, 4), 0.5)
    assert usage_loss(certain) == pytest.approx(-math.log(4), abs=0.05)
    assert usage_loss(certain) < usage_loss(uncertain) - 1.0
    assert usage_loss(certain) < usage_loss(one_code) - 1.0
