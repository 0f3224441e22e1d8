"""Blocks of rows that a CPU computes one after the other, so that they stay in its cache."""

from __future__ import annotations

from itertools import pairwise

import torch

__all__ = ["row_blocks"]


def row_blocks(n_rows: int, size: int, device: torch.device) -> list[slice]:
    """Split rows into blocks of ``size`` rows, the last of up to twice as many; a GPU gets a single one.

    No block is small, because a product of few rows may round otherwise than one of many. Most are equal,
    because the first product of a size takes oneDNN some tenths of a millisecond more than others.
    """
    count = max(1, n_rows // size) if device.type == "cpu" else 1
    bounds = [*range(0, count * size, size), n_rows]
    return [slice(first, stop) for first, stop in pairwise(bounds)]
