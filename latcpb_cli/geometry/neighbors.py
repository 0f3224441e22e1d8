"""Nearest neighbours among Cα, structure by structure."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

__all__ = ["nearest_neighbors"]

_LARGE = 4096
"""Structures of more points are searched by a tree: a distance matrix would grow with their square."""


def nearest_neighbors(
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
    near, found = _by_tree(points, kept, cutoff) if size > _LARGE else _by_matrix(points, kept)
    within = near <= cutoff
    index[:, :, :kept] = torch.where(within, found, own[None, :, None])
    valid[:, :, :kept] = within
    return index, valid


def _by_matrix(points: Float[Tensor, "B n 3"], kept: int) -> tuple[Tensor, Tensor]:
    """Distances (Å) and numbers of the nearest points, from all distances."""
    # Exact differences: the matrix-product shortcut of cdist loses the digits that matter.
    distance = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    own = torch.arange(points.shape[1], device=points.device)
    distance[:, own, own] = float("inf")
    near, found = distance.topk(kept, dim=-1, largest=False, sorted=True)
    return near, found


def _by_tree(points: Float[Tensor, "B n 3"], kept: int, cutoff: float) -> tuple[Tensor, Tensor]:
    """The same in time and memory linear in the points; infinity beyond the cutoff."""
    nears, founds = [], []
    for group in points.cpu().numpy().astype(np.float64):
        near, found = cKDTree(group).query(group, kept + 1, distance_upper_bound=cutoff * (1 + 1e-6))
        near[found == np.arange(len(group))[:, None]] = np.inf
        order = np.argsort(near, axis=1, kind="stable")[:, :kept]
        nears.append(np.take_along_axis(near, order, axis=1))
        founds.append(np.take_along_axis(found, order, axis=1))
    near, found = (torch.from_numpy(np.stack(x)).to(points.device) for x in (nears, founds))
    return near, found
