"""Peptide links between residues."""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor

__all__ = ["linked_before"]


def linked_before(linked: Bool[Tensor, "L"]) -> Bool[Tensor, "L"]:
    """Convert "a peptide joins i to i+1" into "a peptide joins i-1 to i"."""
    return torch.cat([torch.zeros_like(linked[:1]), linked[:-1]])
