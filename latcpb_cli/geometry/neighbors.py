"""Nearest neighbours among Cα, structure by structure."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from latcpb_cli.geometry.cell_list import cell_list_pairs
from latcpb_cli.geometry.masks import true_indices

__all__ = ["nearest_neighbors"]

_MAX_CPU_MATRIX_SIZE, _MAX_MATRIX_SIZE = 512, 4096
"""Structures of more points are searched by a tree or a cell list: a matrix grows with their square."""


def nearest_neighbors(
    points: Float[Tensor, "L 3"], sizes: list[int], count: int, cutoff: float
) -> tuple[Int[Tensor, "L K"], Bool[Tensor, "L K"]]:
    """Find the nearest points of the same structure.

    Parameters
    ----------
    points : Tensor, shape (L, 3)
        Positions (Å) of all structures, one after another.
    sizes : list of int
        Number of points of each structure; they add up to L.
    count : int
        K, neighbours of each point.
    cutoff : float
        Points farther than this (Å) are no neighbours.

    Returns
    -------
    index : Tensor of int64, shape (L, K)
        Rows of the neighbours, nearest first and without the point itself; the
        row of the point itself where there are fewer than K.
    valid : Tensor of bool, shape (L, K)
        Whether ``index`` is a neighbour.
    """
    if len(set(sizes)) == 1:
        groups = points.view(len(sizes), -1, 3)
        index, valid = _nearest_in(groups, count, cutoff)
        starts = torch.arange(len(sizes), device=points.device)[:, None, None] * sizes[0]
        return (index + starts).flatten(0, 1), valid.flatten(0, 1)
    parts, start = [], 0
    for size in sizes:
        index, valid = _nearest_in(points[None, start : start + size], count, cutoff)
        parts.append((index[0] + start, valid[0]))
        start += size
    return torch.cat([index for index, _ in parts]), torch.cat([valid for _, valid in parts])


def _nearest_in(
    points: Float[Tensor, "B n 3"], count: int, cutoff: float
) -> tuple[Int[Tensor, "B n K"], Bool[Tensor, "B n K"]]:
    """`nearest_neighbors` in B structures of equal size, with rows counted inside each structure."""
    size = points.shape[1]
    n_nearest = min(count, size - 1)
    own = torch.arange(size, device=points.device)
    index = own[None, :, None].repeat(len(points), 1, count)
    valid = torch.zeros_like(index, dtype=torch.bool)
    if n_nearest == 0:
        return index, valid
    on_cpu = points.device.type == "cpu"
    if size <= (_MAX_CPU_MATRIX_SIZE if on_cpu else _MAX_MATRIX_SIZE):
        distance, nearest = _search_matrix(points, n_nearest)
    elif on_cpu:
        distance, nearest = _search_tree(points, n_nearest, cutoff)
    else:
        distance, nearest = _search_cells(points, n_nearest, cutoff)
    within = distance <= cutoff
    index[:, :, :n_nearest] = torch.where(within, nearest, own[None, :, None])
    valid[:, :, :n_nearest] = within
    return index, valid


def _search_matrix(
    points: Float[Tensor, "B n 3"], count: int
) -> tuple[Float[Tensor, "B n c"], Int[Tensor, "B n c"]]:
    """Distances (Å) and rows of the nearest points, from the matrix of all distances."""
    # Exact differences: the matrix-product shortcut of cdist loses significant digits.
    distance = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    own = torch.arange(points.shape[1], device=points.device)
    distance[:, own, own] = float("inf")
    nearest = distance.topk(count, dim=-1, largest=False, sorted=True)
    return nearest.values, nearest.indices


def _search_tree(
    points: Float[Tensor, "B n 3"], count: int, cutoff: float
) -> tuple[Float[Tensor, "B n c"], Int[Tensor, "B n c"]]:
    """The same in time and memory linear in the points; distances beyond the cutoff are infinite."""
    distances, rows = [], []
    for group in points.numpy().astype(np.float64):
        distance, row = cKDTree(group).query(group, count + 1, distance_upper_bound=cutoff * (1 + 1e-6))
        distance[row == np.arange(len(group))[:, None]] = np.inf
        order = np.argsort(distance, axis=1, kind="stable")[:, :count]
        distances.append(np.take_along_axis(distance, order, axis=1))
        rows.append(np.take_along_axis(row, order, axis=1))
    return torch.from_numpy(np.stack(distances)), torch.from_numpy(np.stack(rows))


def _search_cells(
    points: Float[Tensor, "B n 3"], count: int, cutoff: float
) -> tuple[Float[Tensor, "B n c"], Int[Tensor, "B n c"]]:
    """`_search_tree` without leaving the device."""
    n_structures, size = points.shape[:2]
    own = torch.arange(n_structures * size, device=points.device)
    structure = torch.div(own, size, rounding_mode="floor")
    first, second, distance = cell_list_pairs(points.flatten(0, 1), structure, cutoff * (1 + 1e-6))
    row, other, distance = torch.cat([first, second]), torch.cat([second, first]), distance.repeat(2)
    order = torch.argsort(distance, stable=True)
    order = order.index_select(0, torch.argsort(row.index_select(0, order), stable=True))
    row = row.index_select(0, order)
    rank = torch.arange(len(row), device=row.device) - torch.searchsorted(row, own).index_select(0, row)
    kept = true_indices(rank < count)
    order, slot = order.index_select(0, kept), (row * count + rank).index_select(0, kept)
    nearest = own.new_zeros(len(own) * count).index_copy(0, slot, other.index_select(0, order) % size)
    distances = distance.new_full((len(own) * count,), torch.inf)
    distances = distances.index_copy(0, slot, distance.index_select(0, order))
    return distances.view(n_structures, size, count), nearest.view(n_structures, size, count)
