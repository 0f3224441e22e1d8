"""Superposition by least squares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from latcpb_cli.metrics.superposition import fit


def test_a_rigid_motion_is_taken_back():
    rng = np.random.default_rng(0)
    target = rng.normal(size=(3, 20, 3))
    turned = np.stack([Rotation.random(random_state=n).apply(points) for n, points in enumerate(target)])
    rotation, translation = fit(turned + 7.0, target)
    assert (turned + 7.0) @ rotation + translation[:, None] == pytest.approx(target, abs=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_a_mirror_image_is_not_turned_into_the_target():
    target = np.random.default_rng(0).normal(size=(1, 20, 3))
    mirrored = target * [-1, 1, 1]
    rotation, translation = fit(mirrored, target)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert np.abs(mirrored @ rotation + translation[:, None] - target).max() > 0.1


@pytest.mark.parametrize("n_points", [1, 2])
def test_few_points(n_points):
    target = np.random.default_rng(0).normal(size=(1, n_points, 3))
    rotation, translation = fit(target + 1.0, target)
    assert (target + 1.0) @ rotation + translation[:, None] == pytest.approx(target, abs=1e-6)
