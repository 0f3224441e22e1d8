"""Segments that cross triangles."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.geometry.crossing import crossing_signs

U, V, UP = np.eye(3)[0], np.eye(3)[1], np.array([0.0, 0.0, 2.0])


@pytest.mark.parametrize(
    ("start", "step", "sign"),
    [
        ((0.2, 0.2, -1.0), UP, 1),
        ((0.2, 0.2, 1.0), -UP, -1),
        ((0.8, 0.8, -1.0), UP, 0),
        ((0.2, 0.2, 0.5), UP, 0),
        ((0.2, 0.2, 0.0), U, 0),
    ],
    ids=["up", "down", "beside", "above", "in the plane"],
)
def test_the_sign_is_the_side_that_a_segment_comes_from(start, step, sign) -> None:
    assert crossing_signs(np.array(start), step, U, V) == sign
