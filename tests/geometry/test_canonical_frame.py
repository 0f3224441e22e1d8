"""The canonical frame rotates with a structure, keeps its handedness and exists for any structure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latcpb_cli.geometry.canonical_frame import canonical_frame


def chains(seed: int, length: int, frames: int = 3) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(size=(frames, length, 3)), axis=1) * 3.8


def canonical(positions: np.ndarray) -> np.ndarray:
    center, axes = canonical_frame(positions)
    return (positions - center) @ axes.swapaxes(1, 2)


@given(seed=st.integers(0, 10_000), length=st.integers(3, 60))
def test_rotations_and_translations_change_no_canonical_coordinate(seed: int, length: int) -> None:
    positions = chains(seed, length)
    rotation = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(3, 3)))[0]
    rotation *= np.linalg.det(rotation)
    assert np.allclose(canonical(positions @ rotation.T + 40.0), canonical(positions), atol=1e-6)


def test_mirror_images_have_mirrored_canonical_coordinates() -> None:
    positions = chains(1, 20)
    mirrored = canonical(positions * np.array([1.0, 1.0, -1.0]))
    assert np.allclose(mirrored, canonical(positions) * np.array([1.0, 1.0, -1.0]))


def test_frames_do_not_affect_each_other() -> None:
    positions = chains(2, 20)
    assert np.array_equal(canonical(positions)[1], canonical(positions[1:2])[0])


@pytest.mark.parametrize("length", [1, 2, 10])
def test_straight_structures_keep_the_axes_of_space(length: int) -> None:
    positions = np.arange(length)[None, :, None] * np.array([3.8, 0.0, 0.0])
    assert np.array_equal(canonical_frame(positions)[1], np.eye(3)[None])
