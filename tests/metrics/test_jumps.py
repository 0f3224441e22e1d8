"""Side chains that jump between frames."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.metrics.jumps import RotamerJumps

NONE = np.nan
DEGREES = np.array(
    [
        [[60.0, 175.0, NONE, 60.0]],
        [[70.0, -175.0, NONE, NONE]],
        [[-60.0, -165.0, NONE, 60.0]],
        [[-60.0, -65.0, NONE, 180.0]],
    ]
)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_turns_beyond_60_degrees_count_whatever_the_chunk_size(size: int) -> None:
    jumps = RotamerJumps()
    for start in range(0, 4, size):
        jumps.add(np.radians(DEGREES[start : start + size]))
    assert jumps.count == (3, 7)


def test_each_sample_is_compared_with_itself() -> None:
    jumps = RotamerJumps()
    jumps.add(np.radians([[[60.0], [180.0]], [[60.0], [180.0]], [[180.0], [180.0]]]))
    assert jumps.count == (1, 4)


def test_a_single_frame_has_no_jumps() -> None:
    jumps = RotamerJumps()
    jumps.add(np.zeros((1, 1, 5)))
    assert jumps.count.percent is None
