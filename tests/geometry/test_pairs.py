"""Close pairs against the plain double loop."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.geometry.pairs import close_pairs, image_shift


@pytest.mark.parametrize("box", [None, [15, 15, 15, 90, 90, 90], [14, 16, 15, 75, 110, 95]])
def test_same_pairs_as_a_double_loop_over_images(box):
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
    found = dict(zip(zip(first.tolist(), second.tolist(), strict=True), distance, strict=True))
    assert len(found) == len(first) > 0
    assert found.keys() == expected.keys()
    assert all(found[pair] == pytest.approx(expected[pair]) for pair in found)
    if cell is not None:
        step = points[first] - points[second]
        assert np.linalg.norm(step + image_shift(step, cell), axis=1) == pytest.approx(distance)
