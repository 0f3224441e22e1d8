"""Cα-Cα distances: bounds that are satisfied by small moves, and unusual spacing."""

from __future__ import annotations

import numpy as np
import pytest
from traces import TYPES, chain_links, noisy_coils

from latcpb_cli.backbone.ca_geometry import satisfy_distance_bounds, spacing_anomaly
from latcpb_cli.chem.residues import letter_index


def ca_distances(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(positions.astype(np.float64), axis=1), axis=-1)


@pytest.mark.parametrize("tolerance", [0.05, 0.2, 0.5])
def test_no_bead_moves_further_than_the_tolerance(tolerance: float) -> None:
    positions = noisy_coils(4, 0.15)
    moved = satisfy_distance_bounds(positions, TYPES, chain_links(positions), tolerance)
    assert np.linalg.norm(moved - positions, axis=-1).max() <= tolerance + 1e-5
    before, after = (np.abs(ca_distances(x) - 3.8) for x in (positions, moved))
    assert after.mean() < before.mean()


def test_distances_are_restored_where_the_tolerance_allows() -> None:
    positions = noisy_coils(4, 0.1)
    moved = satisfy_distance_bounds(positions, TYPES, chain_links(positions), 0.5)
    assert np.abs(ca_distances(positions) - 3.8).max() > 0.25
    assert np.abs(ca_distances(moved) - 3.805).max() < 0.081


def test_beads_without_violation_are_unchanged_to_the_bit() -> None:
    steps = np.tile([[3.0, 2.33, 0.0], [3.0, -2.33, 0.0]], (4, 1))
    zigzag = np.cumsum(steps, axis=0, dtype=np.float32)[None]
    moved = satisfy_distance_bounds(zigzag, letter_index("A" * 8), chain_links(zigzag), 0.3)
    assert np.array_equal(moved, zigzag)


def test_virtual_angles_are_restored() -> None:
    """A straight chain bends, a folded one opens."""
    straight = np.arange(6)[None, :, None] * np.array([3.8, 0.0, 0.0]) + 1e-3 * np.arange(6)[:, None] ** 2
    sharp = np.cumsum(np.tile([[2.4, 2.95, 0.0], [2.4, -2.95, 0.0]], (3, 1)), axis=0)[None]
    for positions, is_straight in ((straight, True), (sharp, False)):
        start = positions.astype(np.float32)
        moved = satisfy_distance_bounds(start, letter_index("A" * 6), chain_links(start), 1.0)
        spans = [np.linalg.norm(x[0, 2:] - x[0, :-2], axis=-1).mean() for x in (start, moved)]
        assert (spans[1] < spans[0] - 0.2) if is_straight else (spans[1] > spans[0] + 0.2)


def test_short_distances_become_those_of_cis_peptides() -> None:
    positions = noisy_coils(1, 0.0)
    step = positions[0, 11] - positions[0, 10]
    positions[0, 11:] -= step * (1 - 3.05 / np.linalg.norm(step))
    moved = satisfy_distance_bounds(positions, TYPES, chain_links(positions), 0.5)
    assert ca_distances(moved)[0, 10] == pytest.approx(2.955, abs=0.081)


def test_breaks_stay_open_and_frames_are_independent() -> None:
    positions = noisy_coils(3, 0.15)
    positions[1, 12:] += 9.0
    linked = chain_links(positions)
    linked[1, 11] = False
    together = satisfy_distance_bounds(positions, TYPES, linked, 0.3)
    assert ca_distances(together)[1, 11] > 10.0
    for frame in range(3):
        alone = satisfy_distance_bounds(positions[frame : frame + 1], TYPES, linked[frame : frame + 1], 0.3)
        assert np.array_equal(alone[0], together[frame])


def test_spacing_is_anomalous_where_no_peptide_fits() -> None:
    linked = np.array([[True, True, True, False, True, True, False]])
    steps = np.array([0.0, 3.80, 3.80, 3.90, 9.0, 2.94, 4.05])
    ca = np.cumsum(steps)[None, :, None] * [0.0, 1.0, 0.0]
    anomaly = spacing_anomaly(ca, letter_index("AAAAAPA"), linked)[0]
    assert anomaly[[0, 1, 4]].tolist() == [0.0, 0.0, 0.0]
    assert 0.1 < anomaly[2] == anomaly[3] < 0.9
    assert anomaly[[5, 6]].tolist() == [1.0, 1.0]
