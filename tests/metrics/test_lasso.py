"""Loops closed by a disulfide, and what runs through them."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.geometry.crossing import crossing_signs
from latcpb_cli.metrics.lasso import find_lassos

ON_LOOP = 15
BRIDGE = (0, ON_LOOP - 1)


def ring() -> np.ndarray:
    """A loop of Cα about the z axis, 3.8 Å apart, not quite flat."""
    turn = 2 * np.pi * np.arange(ON_LOOP) / ON_LOOP
    return np.stack([9.1 * np.cos(turn), 9.1 * np.sin(turn), 2 * np.sin(3 * turn)], axis=-1)


def line(at: tuple[float, float], low: float, high: float) -> np.ndarray:
    """A chain along z."""
    z = np.arange(low, high, 3.8)
    return np.stack([np.full(len(z), at[0]), np.full(len(z), at[1]), z], axis=-1)


def found(*chains: np.ndarray, cell: np.ndarray | None = None) -> list[tuple[int, int]]:
    linked = np.concatenate([np.arange(len(chain)) < len(chain) - 1 for chain in chains])
    return find_lassos(np.concatenate(chains).astype(np.float32), linked, [BRIDGE], cell)


def hairpin(turn_at: float) -> np.ndarray:
    """Down along z, and up again beside it."""
    down = line((0.0, 0.0), -turn_at, 40.0)[::-1]
    return np.concatenate([down, line((4.0, 0.0), -turn_at, 40.0)])


def test_a_chain_through_the_loop_is_a_lasso() -> None:
    assert found(ring(), line((1.0, 2.0), -21.0, 21.0)) == [BRIDGE]
    assert found(ring(), line((1.0, 2.0), -21.0, 21.0)[::-1]) == [BRIDGE]


@pytest.mark.parametrize(
    "other",
    [
        line((14.0, 0.0), -21.0, 21.0),
        line((1.0, 2.0), 3.0, 40.0),
        line((1.0, 2.0), -5.0, 40.0),
        hairpin(10.0),
    ],
    ids=["beside", "above", "only its end", "back at once"],
)
def test_what_does_not_go_through_is_none(other: np.ndarray) -> None:
    assert found(ring(), other) == []


def test_coming_back_late_is_a_lasso() -> None:
    assert found(ring(), hairpin(40.0)) == [BRIDGE]


def test_the_tail_of_the_loop_itself_counts() -> None:
    out = ring()[-1] + np.array([[3.0, 0, 3], [4, 2, 6], [1, 2, 9], [-2, 2, 9]])
    tail = line((-2.0, 2.0), -21.0, 8.0)[::-1]
    assert found(np.concatenate([ring(), out, tail])) == [BRIDGE]


def test_images_across_the_box_count() -> None:
    far = line((1.0 + 50.0, 2.0), -21.0, 21.0)
    assert found(ring(), far) == []
    assert found(ring(), far, cell=np.diag([50.0, 60.0, 70.0])) == [BRIDGE]


def test_a_bridge_between_chains_closes_no_loop() -> None:
    halves = ring()[:8], ring()[8:]
    assert found(*halves, line((1.0, 2.0), -21.0, 21.0)) == []


def test_sides_of_a_triangle() -> None:
    u, v = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    up = np.array([0.0, 0.0, 2.0])
    assert crossing_signs(np.array([0.2, 0.2, -1.0]), up, u, v) == 1
    assert crossing_signs(np.array([0.2, 0.2, 1.0]), -up, u, v) == -1
    assert crossing_signs(np.array([0.8, 0.8, -1.0]), up, u, v) == 0
    assert crossing_signs(np.array([0.2, 0.2, 0.5]), up, u, v) == 0
