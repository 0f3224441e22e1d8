"""Loops closed by a disulfide, and what runs through them."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.metrics.lasso import find_lassos

LOOP_LENGTH = 15
BRIDGE = (0, LOOP_LENGTH - 1)


def ring() -> np.ndarray:
    """A loop of Cα about the z axis, 3.8 Å apart, not quite flat."""
    turn = 2 * np.pi * np.arange(LOOP_LENGTH) / LOOP_LENGTH
    return np.stack([9.1 * np.cos(turn), 9.1 * np.sin(turn), 2 * np.sin(3 * turn)], axis=-1)


def line(at: tuple[float, float], low: float, high: float) -> np.ndarray:
    """A chain along z."""
    z = np.arange(low, high, 3.8)
    return np.stack([np.full(len(z), at[0]), np.full(len(z), at[1]), z], axis=-1)


def lassos(*chains: np.ndarray, cell: np.ndarray | None = None) -> list[tuple[int, int]]:
    linked = np.concatenate([np.arange(len(chain)) < len(chain) - 1 for chain in chains])
    return find_lassos(np.concatenate(chains).astype(np.float32), linked, [BRIDGE], cell)


def hairpin(turn_at: float) -> np.ndarray:
    """Down along z, and up again beside it."""
    down = line((0.0, 0.0), -turn_at, 40.0)[::-1]
    return np.concatenate([down, line((4.0, 0.0), -turn_at, 40.0)])


def test_a_chain_through_the_loop_is_a_lasso() -> None:
    assert lassos(ring(), line((1.0, 2.0), -21.0, 21.0)) == [BRIDGE]
    assert lassos(ring(), line((1.0, 2.0), -21.0, 21.0)[::-1]) == [BRIDGE]


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
def test_a_chain_that_does_not_pass_through_the_loop_is_no_lasso(other: np.ndarray) -> None:
    assert lassos(ring(), other) == []


def test_a_chain_that_crosses_back_late_is_a_lasso() -> None:
    assert lassos(ring(), hairpin(40.0)) == [BRIDGE]


def test_the_tail_of_the_loop_can_thread_it() -> None:
    out = ring()[-1] + np.array([[3.0, 0, 3], [4, 2, 6], [1, 2, 9], [-2, 2, 9]])
    tail = line((-2.0, 2.0), -21.0, 8.0)[::-1]
    assert lassos(np.concatenate([ring(), out, tail])) == [BRIDGE]


def test_periodic_images_thread_loops() -> None:
    far = line((1.0 + 50.0, 2.0), -21.0, 21.0)
    assert lassos(ring(), far) == []
    assert lassos(ring(), far, cell=np.diag([50.0, 60.0, 70.0])) == [BRIDGE]


def test_a_bridge_between_chains_closes_no_loop() -> None:
    halves = ring()[:8], ring()[8:]
    assert lassos(*halves, line((1.0, 2.0), -21.0, 21.0)) == []
