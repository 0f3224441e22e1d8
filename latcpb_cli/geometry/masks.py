"""Indices from masks and from ranges."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

__all__ = ["expand_ranges", "true_indices"]


def true_indices(mask: Bool[Tensor, "N"]) -> Int[Tensor, "T"]:
    """Return the indices of the true elements, ascending.

    On CPUs numpy finds them, five times as fast as `torch.nonzero`.
    """
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return torch.nonzero(mask).squeeze(1)


def expand_ranges(
    first: Int[Tensor, "P"], count: Int[Tensor, "P"]
) -> tuple[Int[Tensor, "Q"], Int[Tensor, "Q"]]:
    """List the integers first[i], ..., first[i] + count[i] - 1 of every i: the i of each, and the integer."""
    row = torch.repeat_interleave(count)
    offset = first - (count.cumsum(0, dtype=first.dtype) - count)
    return row, torch.arange(len(row), dtype=first.dtype, device=row.device) + offset.index_select(0, row)
