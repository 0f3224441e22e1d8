"""Sulfur positions of disulfides, and their costs."""

from __future__ import annotations

import numpy as np
import pytest
from bridges import facing

from latcpb_cli.complete.disulfide_geometry import SS_BOND, CysteinePairs


def solve(*distances: float) -> tuple[np.ndarray, np.ndarray]:
    """Solutions of pairs of cysteines with CB at given distances, Å."""
    atoms = [facing(distance)[1] for distance in distances]
    first, second = (np.stack([x[row] for x in atoms]) for row in (1, 4))
    return CysteinePairs.from_atoms(first, second, np.zeros((len(atoms), 3))).solve()


def test_solutions_with_a_finite_cost_have_an_ideal_bond() -> None:
    sulfurs, cost = solve(3.5, 3.8, 4.1)
    length = np.linalg.norm(sulfurs[..., 1, :] - sulfurs[..., 0, :], axis=-1)
    assert np.isfinite(cost).any(axis=1).all()
    assert np.abs(length - SS_BOND)[np.isfinite(cost)].max() <= 0.1


def test_the_cost_rises_with_the_distance_of_the_two_cb() -> None:
    """They are 3.8 ± 0.2 Å apart in crystal structures."""
    _, cost = solve(4.1, 4.6, 4.9)
    usual, far, farther = cost.min(axis=1)
    assert usual < 10.0
    assert 2 * usual < far < farther


def test_cysteines_out_of_reach_have_no_solution() -> None:
    _, cost = solve(7.5)
    assert np.isinf(cost).all()


def test_a_pair_does_not_depend_on_the_others() -> None:
    together = solve(3.6, 4.0)
    for index, distance in enumerate((3.6, 4.0)):
        for alone, both in zip(solve(distance), together, strict=True):
            assert alone[0] == pytest.approx(both[index], abs=1e-9)


def test_a_translation_of_the_second_residue_is_undone() -> None:
    """With the shift of a periodic image the positions are those beside the first residue."""
    atoms, shift = facing()[1].astype(float), np.array([[60.0, 0.0, -80.0]])
    expected, _ = CysteinePairs.from_atoms(atoms[1:2], atoms[4:5], np.zeros((1, 3))).solve()
    shifted, _ = CysteinePairs.from_atoms(atoms[1:2], atoms[4:5] + shift[:, None], shift).solve()
    np.testing.assert_allclose(shifted, expected, atol=1e-6)
