"""The shape of the chain around each residue."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from latcpb_cli.geometry.ca_descriptors import ca_descriptors


def coils(frames: int = 3, length: int = 20) -> np.ndarray:
    rng = np.random.default_rng(1)
    step = rng.normal(size=(frames, length, 3))
    return np.cumsum(3.8 * step / np.linalg.norm(step, axis=-1, keepdims=True), axis=1)


def whole(ca: np.ndarray) -> np.ndarray:
    linked = np.ones(ca.shape[:2], dtype=bool)
    linked[:, -1] = False
    return linked


def test_turning_and_moving_changes_nothing_and_a_mirror_the_volumes() -> None:
    ca = coils()
    shapes = ca_descriptors(ca, whole(ca))
    turned = ca @ Rotation.from_rotvec([0.4, -1.1, 2.0]).as_matrix().T + [30.0, -5.0, 8.0]
    np.testing.assert_allclose(ca_descriptors(turned, whole(ca)), shapes, atol=1e-9)
    mirrored = ca_descriptors(ca * [1, 1, -1], whole(ca))
    np.testing.assert_allclose(mirrored, shapes * ([1.0] * 6 + [-1.0] * 2), atol=1e-9)
    assert np.abs(shapes[:, 2:-2, 6:]).min() > 0


def test_what_happens_far_off_is_not_seen() -> None:
    ca = coils()
    moved = ca.copy()
    moved[:, 12] += 1.0
    changed = (ca_descriptors(moved, whole(ca)) != ca_descriptors(ca, whole(ca))).any(-1)
    assert changed[:, 8:17].all()
    assert not changed[:, :8].any() and not changed[:, 17:].any()


def test_another_chain_is_not_seen() -> None:
    ca = coils()
    linked = whole(ca)
    linked[:, 9] = False
    both = ca_descriptors(ca, linked)
    for part in (slice(0, 10), slice(10, 20)):
        np.testing.assert_array_equal(both[:, part], ca_descriptors(ca[:, part], linked[:, part]))


def test_a_single_residue_has_no_shape() -> None:
    assert (ca_descriptors(np.ones((2, 1, 3)), np.zeros((2, 1), dtype=bool)) == np.zeros((2, 1, 8))).all()
