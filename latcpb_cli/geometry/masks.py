"""Indices from masks and from ranges."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

__all__ = ["count_rows", "expand_ranges", "first_rows", "starts", "true_indices"]


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
    offset = first - starts(count)
    return row, torch.arange(len(row), dtype=first.dtype, device=row.device) + offset.index_select(0, row)


def starts(count: Int[Tensor, "N"]) -> Int[Tensor, "N"]:
    """Return the first row of each of N groups of consecutive rows, from the number of its rows."""
    return count.cumsum(0, dtype=count.dtype) - count


def count_rows(owner: Int[Tensor, "X"], n_owners: int) -> Int[Tensor, "N"]:
    """Count the rows of each owner in an ascending list of owners.

    A histogram is faster on CPUs; on other devices the host would wait for it.
    """
    if owner.device.type == "cpu":
        return torch.bincount(owner, minlength=n_owners)
    owners = torch.arange(n_owners + 1, dtype=owner.dtype, device=owner.device)
    return torch.searchsorted(owner, owners).diff()


def first_rows(owner: Int[Tensor, "X"], n_owners: int) -> Int[Tensor, "N"]:
    """Return the first row of each owner in an ascending list of owners."""
    return starts(count_rows(owner, n_owners))
