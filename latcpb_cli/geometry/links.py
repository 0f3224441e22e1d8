"""Which residues are joined, seen from either side."""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor

__all__ = ["linked_before"]


def linked_before(linked: Bool[Tensor, "L"]) -> Bool[Tensor, "L"]:
    """Whether a peptide joins i-1 to i, from whether one joins i to i+1."""
    return torch.cat([torch.zeros_like(linked[:1]), linked[:-1]])
