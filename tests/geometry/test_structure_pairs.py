"""Pairs of near points of many structures: the cell list of GPUs against SciPy's tree."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latcpb_cli.geometry.cell_list import PeriodicBoxes, cell_list_pairs
from latcpb_cli.geometry.structure_pairs import image_shifts, structure_pairs

CUTOFF = 3.0
BOXES = torch.tensor(
    [
        [[11.0, 0.0, 0.0], [0.0, 12.0, 0.0], [0.0, 0.0, 13.0]],
        [[12.0, 0.0, 0.0], [4.0, 11.0, 0.0], [-3.0, 5.0, 12.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
    ],
    dtype=torch.float64,
)


def scattered(sizes: list[int], width: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Points at random in a cube around the origin, and the structure of each."""
    generator = torch.Generator().manual_seed(sum(sizes))
    points = width * (torch.rand(sum(sizes), 3, generator=generator) - 0.4)
    return points, torch.repeat_interleave(torch.tensor(sizes))


def assert_equal(points: torch.Tensor, structure: torch.Tensor, cells: torch.Tensor | None = None) -> None:
    """Both methods find the same pairs at the same distances, and the cell list sorts them."""
    boxes = None if cells is None else PeriodicBoxes.from_vectors(cells, points.device)
    first, second, distance = cell_list_pairs(points, structure, CUTOFF, boxes)
    expected = [x.numpy() for x in structure_pairs(points, structure, CUTOFF, cells)]
    order = np.lexsort((expected[1], expected[0]))
    assert np.array_equal(first, expected[0][order])
    assert np.array_equal(second, expected[1][order])
    assert np.allclose(distance, expected[2][order], atol=1e-9)


@pytest.mark.parametrize("width", [8.0, 60.0])
@pytest.mark.parametrize("sizes", [[300], [200, 1, 90], [0, 2, 0]])
def test_same_pairs(sizes: list[int], width: float) -> None:
    assert_equal(*scattered(sizes, width))


@pytest.mark.parametrize("width", [11.0, 40.0])
def test_same_pairs_in_periodic_boxes(width: float) -> None:
    points, structure = scattered([150, 180, 120], width)
    assert_equal(points, structure, BOXES)
    first, second, _ = structure_pairs(points, structure, CUTOFF, BOXES)
    step, of_pair = points[first] - points[second], structure[first]
    shifts = PeriodicBoxes.from_vectors(BOXES, step.device).shift(step, of_pair)
    assert torch.allclose(shifts, image_shifts(step, of_pair, BOXES), atol=1e-9)
    assert ((step + shifts).norm(dim=1) < CUTOFF + 1e-4).all()


def test_coincident_points_are_pairs() -> None:
    points = torch.zeros(5, 3)
    assert_equal(points, torch.tensor([0, 0, 0, 1, 1]))
    assert len(cell_list_pairs(points, torch.zeros(5, dtype=torch.int64), CUTOFF)[0]) == 10


@pytest.mark.parametrize("cells", [None, BOXES])
def test_without_points(cells: torch.Tensor | None) -> None:
    assert_equal(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64), cells)


def test_points_are_searched_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latcpb_cli.geometry.cell_list._POINTS_PER_BLOCK", 7)
    assert_equal(*scattered([100, 50], 9.0))


def test_far_structures_do_not_meet() -> None:
    points = torch.tensor([[0.0, 0.0, 0.0], [1e6, -1e6, 1e6], [1e6 + 1, -1e6, 1e6], [0.0, 0.0, 1.0]])
    assert_equal(points, torch.tensor([0, 0, 0, 0]))
