"""Nearest neighbours, by a distance matrix in small structures and by a tree or a cell list in large ones."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.geometry import neighbors
from latcpb_cli.geometry.neighbors import nearest_neighbors


@pytest.mark.parametrize("search", ["_search_tree", "_search_cells"])
@pytest.mark.parametrize("sizes", [[60], [30, 30], [50, 8, 2], [1]])
@pytest.mark.parametrize("cutoff", [8.0, 1000.0])
def test_large_structures_have_the_same_neighbors(monkeypatch, sizes, cutoff, search):
    torch.manual_seed(0)
    points = 15 * torch.rand(sum(sizes), 3)
    index, valid = nearest_neighbors(points, sizes, 12, cutoff)
    monkeypatch.setattr(neighbors, "_MAX_CPU_MATRIX_SIZE", 0)
    monkeypatch.setattr(neighbors, "_search_tree", getattr(neighbors, search))
    large_index, large_valid = nearest_neighbors(points, sizes, 12, cutoff)
    assert torch.equal(valid, large_valid)
    assert torch.equal(index, large_index)


def test_coincident_points_are_neighbours_of_each_other_and_not_of_themselves(monkeypatch):
    monkeypatch.setattr(neighbors, "_MAX_CPU_MATRIX_SIZE", 0)
    index, valid = nearest_neighbors(torch.zeros(6, 3), [6], 3, 5.0)
    assert valid.all()
    assert (index != torch.arange(6)[:, None]).all()
