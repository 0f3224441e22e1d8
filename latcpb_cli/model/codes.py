"""Discrete conformational states: one multinomial sample per residue (eq. 9)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["code_probabilities", "perplexity", "sample_codes", "usage_loss"]


def code_probabilities(latent: Float[Tensor, "L D"]) -> Float[Tensor, "L D"]:
    """Scale the latent, whose components are in (0, 1), to probabilities of the D codes."""
    return latent / latent.sum(-1, keepdim=True).clamp(min=1e-6)


def sample_codes(latent: Float[Tensor, "L D"], generator: torch.Generator | None = None) -> Int[Tensor, "L"]:
    """Sample the index of each residue's one-hot code, Multinomial(latent, 1) of eq. 9.

    The result has no gradient: the code selects a component of the prior and a class of the contrastive loss,
    and gradients reach the latent through these losses.
    """
    # On the CPU, as all random numbers are, so that devices agree.
    weights = code_probabilities(latent.detach()).cpu()
    return torch.multinomial(weights, 1, generator=generator)[:, 0].to(latent.device)


def perplexity(counts: Float[Tensor, "D"]) -> float:
    """Return the effective number of codes in use, exp of the entropy of their frequencies."""
    probability = counts / counts.sum()
    return float(torch.exp(-(probability * torch.log(probability.clamp(min=1e-12))).sum()))


def usage_loss(latent: Float[Tensor, "L D"]) -> Float[Tensor, ""]:
    """Return the negative mutual information of residue and code.

    This is the mean entropy of a residue's code minus the entropy of the codes of the batch. It is least when
    every residue has one code with certainty and all codes are equally common. The paper does not have this
    loss; it keeps all codes in use.
    """
    weights = code_probabilities(latent)
    mean = weights.mean(0)
    residue_entropy = -(weights * torch.log(weights + 1e-8)).sum(-1).mean()
    return residue_entropy + (mean * torch.log(mean + 1e-8)).sum()
