"""A structure's own axes turn with it, keep its hand, and exist for anything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latcpb_cli.geometry.canonical_frame import canonical_frame


def chains(seed: int, length: int, frames: int = 3) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(size=(frames, length, 3)), axis=1) * 3.8


def own(positions: np.ndarray) -> np.ndarray:
    middle, axes = canonical_frame(positions)
    return (positions - middle) @ axes.swapaxes(1, 2)


@given(seed=st.integers(0, 10_000), length=st.integers(3, 60))
def test_turning_and_moving_changes_nothing(seed: int, length: int) -> None:
    positions = chains(seed, length)
    turn = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    assert np.allclose(own(positions @ turn.T + 40.0), own(positions), atol=1e-6)


def test_a_mirror_image_stays_one() -> None:
    positions = chains(1, 20)
    mirrored = own(positions * np.array([1.0, 1.0, -1.0]))
    assert np.allclose(mirrored, own(positions) * np.array([1.0, 1.0, -1.0]))


def test_frames_do_not_see_each_other() -> None:
    positions = chains(2, 20)
    assert np.array_equal(own(positions)[1], own(positions[1:2])[0])


@pytest.mark.parametrize("length", [1, 2, 10])
def test_what_is_straight_keeps_the_axes_of_space(length: int) -> None:
    positions = np.arange(length)[None, :, None] * np.array([3.8, 0.0, 0.0])
    assert np.array_equal(canonical_frame(positions)[1], np.eye(3)[None])
