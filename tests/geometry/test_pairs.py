"""Close pairs, compared with a double loop over points and images."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.geometry.pairs import close_pairs, close_pairs_between, image_shift


@pytest.mark.parametrize("box", [None, [15, 15, 15, 90, 90, 90], [14, 16, 15, 75, 110, 95]])
def test_pairs_and_distances_are_those_of_a_double_loop_over_images(box):
    points = np.random.default_rng(2).uniform(-20, 40, (120, 3))
    shifts, cell = np.zeros((1, 3)), None
    if box is not None:
        cell = box_vectors(np.array([box], dtype=float))[0]
        shifts = np.array(list(product(range(-6, 7), repeat=3))) @ cell
    expected = {
        (i, j): distance
        for i, j in combinations(range(len(points)), 2)
        if (distance := np.linalg.norm(points[i] - points[j] + shifts, axis=1).min()) <= 3.0
    }
    first, second, distance = close_pairs(points, 3.0, cell)
    pairs = dict(zip(zip(first.tolist(), second.tolist(), strict=True), distance, strict=True))
    assert len(pairs) == len(first) > 0
    assert pairs.keys() == expected.keys()
    assert all(pairs[pair] == pytest.approx(expected[pair]) for pair in pairs)
    if cell is not None:
        step = points[first] - points[second]
        assert np.linalg.norm(step + image_shift(step, cell), axis=1) == pytest.approx(distance)


@pytest.mark.parametrize("box", [None, [15, 15, 15, 90, 90, 90], [14, 16, 15, 75, 110, 95]])
def test_pairs_between_two_sets_are_those_of_all_points_together(box):
    rng = np.random.default_rng(3)
    points, others = rng.uniform(-20, 40, (40, 3)), rng.uniform(-20, 40, (60, 3))
    cell = None if box is None else box_vectors(np.array([box], dtype=float))[0]
    first, second, _ = close_pairs(np.concatenate([points, others]), 3.0, cell)
    between = (first < 40) & (second >= 40)
    expected = set(zip(first[between].tolist(), (second[between] - 40).tolist(), strict=True))
    point, other, shift = close_pairs_between(points, others, 3.0, cell)
    assert len(expected) == len(point) > 0
    assert set(zip(point.tolist(), other.tolist(), strict=True)) == expected
    assert (np.linalg.norm(others[other] + shift - points[point], axis=1) <= 3.0 + 1e-9).all()
