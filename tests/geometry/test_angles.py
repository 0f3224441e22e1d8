"""Distances, directions, angles and torsions of points."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.geometry.angles import angle, angle_difference, distance, signed_volume, torsion, unit

ORIGIN, X, Y, Z = np.zeros(3), *np.eye(3)


def test_unit_vectors_have_length_one_and_zero_stays_zero() -> None:
    vectors = np.array([[3.0, 0.0, 4.0], [0.0, 0.0, 0.0]])
    assert unit(vectors).tolist() == [[0.6, 0.0, 0.8], [0.0, 0.0, 0.0]]


def test_distances_and_angles() -> None:
    assert distance(X, Y) == pytest.approx(np.sqrt(2))
    assert np.degrees(angle(X, ORIGIN, Y)) == pytest.approx(90.0)
    assert np.degrees(angle(X, Y, ORIGIN)) == pytest.approx(45.0)


@pytest.mark.parametrize(("d", "degrees"), [(X + Z, 0.0), (Z - X, 180.0), (Y + Z, 90.0), (Z - Y, -90.0)])
def test_torsions_are_zero_for_cis_and_positive_clockwise(d: np.ndarray, degrees: float) -> None:
    assert np.degrees(torsion(X, ORIGIN, Z, d)) == pytest.approx(degrees)


def test_a_mirror_image_has_the_opposite_volume() -> None:
    assert signed_volume(ORIGIN, X, Y, 2 * Z) == pytest.approx(2.0)
    assert signed_volume(ORIGIN, X, Y, -2 * Z) == pytest.approx(-2.0)


def test_angle_differences_are_the_shorter_way_round_the_period() -> None:
    first, second = np.radians([170.0, 10.0, 95.0]), np.radians([-170.0, 40.0, -90.0])
    assert np.degrees(angle_difference(first, second)) == pytest.approx([20.0, 30.0, 175.0])
    assert np.degrees(angle_difference(first, second, np.pi)) == pytest.approx([20.0, 30.0, 5.0])
