"""Box vectors have the lengths and angles of the box."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.geometry.angles import angle
from latcpb_cli.geometry.box import box_vectors


def test_a_rectangular_box_is_exactly_diagonal() -> None:
    (vectors,) = box_vectors(np.array([[20.0, 30.0, 40.0, 90.0, 90.0, 90.0]]))
    assert np.array_equal(vectors, np.diag([20.0, 30.0, 40.0]))


@pytest.mark.parametrize(
    "box", [[20, 24, 22, 70, 80, 100], [30, 30, 30, 60, 60, 90], [9, 8, 7, 109, 71, 109]]
)
def test_lengths_and_angles_are_those_of_the_box(box: list[float]) -> None:
    (vectors,) = box_vectors(np.array([box], dtype=np.float64))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(box[:3])
    origin = np.zeros(3)
    alpha, beta, gamma = (angle(vectors[i], origin, vectors[j]) for i, j in ((1, 2), (0, 2), (0, 1)))
    assert np.degrees([alpha, beta, gamma]) == pytest.approx(box[3:])
    assert np.array_equal(vectors, np.tril(vectors)) and (np.diagonal(vectors) > 0).all()


def test_zeros_and_impossible_angles_are_no_box() -> None:
    boxes = np.array([[0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [20.0, 20.0, 20.0, 30.0, 30.0, 150.0]])
    assert not box_vectors(boxes).any()
