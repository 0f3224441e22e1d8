"""Discrete conformational states: one multinomial draw per residue (eq. 9)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["code_probabilities", "draw_codes", "perplexity", "usage_loss"]


def code_probabilities(latent: Float[Tensor, "L D"]) -> Float[Tensor, "L D"]:
    """Weights of the draw: the latent's sigmoids, scaled to sum to one."""
    return latent / latent.sum(-1, keepdim=True).clamp(min=1e-6)


def draw_codes(latent: Float[Tensor, "L D"], generator: torch.Generator | None = None) -> Int[Tensor, "L"]:
    """Index of the one-hot code of each residue: Multinomial(latent, 1) of eq. 9."""
    # Drawn on the CPU, as all noise is, so that devices agree.
    weights = code_probabilities(latent.detach()).cpu()
    return torch.multinomial(weights, 1, generator=generator)[:, 0].to(latent.device)


def perplexity(counts: Float[Tensor, "D"]) -> float:
    """How many codes are in use: exp of the entropy of their frequencies."""
    share = counts / counts.sum()
    return float(torch.exp(-(share * torch.log(share.clamp(min=1e-12))).sum()))


def usage_loss(latent: Float[Tensor, "L D"]) -> Tensor:
    """Keep all codes alive and each residue decided.

    Entropy of a residue's code minus the entropy of the batch's codes: the
    negative mutual information of residue and code, smallest when every
    residue has one code and all codes are equally common.
    """
    weights = code_probabilities(latent)
    mean = weights.mean(0)
    own = -(weights * torch.log(weights + 1e-8)).sum(-1).mean()
    return own + (mean * torch.log(mean + 1e-8)).sum()
