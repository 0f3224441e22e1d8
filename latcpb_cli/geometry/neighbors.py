"""Nearest neighbours among Cα, structure by structure."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["nearest"]

_BLOCK = 4096  # rows of one distance matrix: bounds memory for large systems


def nearest(
    points: Float[Tensor, "L 3"], sizes: list[int], count: int, cutoff: float
) -> tuple[Int[Tensor, "L K"], Bool[Tensor, "L K"]]:
    """The ``count`` nearest points of the same structure within ``cutoff``.

    Parameters
    ----------
    points
        Positions (Å) of all structures, one after another.
    sizes
        Number of points of each structure; they add up to L.

    Returns
    -------
    index, valid
        Rows of the neighbours, nearest first and without the point itself, and
        whether there is one; missing neighbours point at the point itself.
    """
    if len(set(sizes)) == 1:
        groups = points.view(len(sizes), -1, 3)
        index, valid = _nearest_in(groups, count, cutoff)
        starts = torch.arange(len(sizes), device=points.device)[:, None, None] * sizes[0]
        return (index + starts).flatten(0, 1), valid.flatten(0, 1)
    parts, start = [], 0
    for group in points.split(sizes):
        index, valid = _nearest_in(group[None], count, cutoff)
        parts.append((index[0] + start, valid[0]))
        start += len(group)
    return torch.cat([index for index, _ in parts]), torch.cat([valid for _, valid in parts])


def _nearest_in(points: Float[Tensor, "B n 3"], count: int, cutoff: float) -> tuple[Tensor, Tensor]:
    size = points.shape[1]
    kept = min(count, size - 1)
    own = torch.arange(size, device=points.device)
    index = own[None, :, None].repeat(len(points), 1, count)
    valid = torch.zeros_like(index, dtype=torch.bool)
    if kept == 0:
        return index, valid
    for begin in range(0, size, _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        # Exact differences: the matrix-product shortcut of cdist loses the digits that matter.
        distance = torch.cdist(points[:, rows], points, compute_mode="donot_use_mm_for_euclid_dist")
        distance[:, own[rows] - begin, own[rows]] = float("inf")
        near, found = distance.topk(kept, dim=-1, largest=False, sorted=True)
        within = near <= cutoff
        index[:, rows, :kept] = torch.where(within, found, own[rows][None, :, None])
        valid[:, rows, :kept] = within
    return index, valid
