"""Descriptors of the chain around each residue."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from latcpb_cli.geometry.ca_descriptors import ca_descriptors


def coils(frames: int = 3, length: int = 20) -> np.ndarray:
    rng = np.random.default_rng(1)
    step = rng.normal(size=(frames, length, 3))
    return np.cumsum(3.8 * step / np.linalg.norm(step, axis=-1, keepdims=True), axis=1)


def all_linked(ca: np.ndarray) -> np.ndarray:
    linked = np.ones(ca.shape[:2], dtype=bool)
    linked[:, -1] = False
    return linked


def test_rotations_and_translations_change_nothing_and_mirror_images_negate_the_volumes() -> None:
    ca = coils()
    descriptors = ca_descriptors(ca, all_linked(ca))
    rotated = ca @ Rotation.from_rotvec([0.4, -1.1, 2.0]).as_matrix().T + [30.0, -5.0, 8.0]
    np.testing.assert_allclose(ca_descriptors(rotated, all_linked(ca)), descriptors, atol=1e-9)
    mirrored = ca_descriptors(ca * [1, 1, -1], all_linked(ca))
    np.testing.assert_allclose(mirrored, descriptors * ([1.0] * 6 + [-1.0] * 2), atol=1e-9)
    assert np.abs(descriptors[:, 2:-2, 6:]).min() > 0


def test_descriptors_depend_on_four_residues_to_each_side() -> None:
    ca = coils()
    moved = ca.copy()
    moved[:, 12] += 1.0
    changed = (ca_descriptors(moved, all_linked(ca)) != ca_descriptors(ca, all_linked(ca))).any(-1)
    assert changed[:, 8:17].all()
    assert not changed[:, :8].any() and not changed[:, 17:].any()


def test_other_chains_do_not_matter() -> None:
    ca = coils()
    linked = all_linked(ca)
    linked[:, 9] = False
    both = ca_descriptors(ca, linked)
    for part in (slice(0, 10), slice(10, 20)):
        np.testing.assert_array_equal(both[:, part], ca_descriptors(ca[:, part], linked[:, part]))


def test_the_descriptors_of_a_single_residue_are_zero() -> None:
    assert (ca_descriptors(np.ones((2, 1, 3)), np.zeros((2, 1), dtype=bool)) == np.zeros((2, 1, 8))).all()


def test_a_ring_has_no_ends() -> None:
    ca, shift = coils(length=10), 3
    linked, following = np.ones((3, 10), dtype=bool), np.roll(np.arange(10), -1)
    descriptors = ca_descriptors(ca, linked, following)
    moved = ca_descriptors(np.roll(ca, -shift, axis=1), linked, following)
    np.testing.assert_array_equal(moved, np.roll(descriptors, -shift, axis=1))
    assert np.abs(descriptors).min() > 0
    np.testing.assert_array_equal(
        ca_descriptors(ca, all_linked(ca), following), ca_descriptors(ca, all_linked(ca))
    )
