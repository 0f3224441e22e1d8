"""Cα that may move a little."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import SEQUENCE, coil

from latcpb_cli.backbone.ca_geometry import ease_trace, odd_spacing
from latcpb_cli.chem.residues import letter_index

TYPES = letter_index(SEQUENCE)
LENGTH = len(SEQUENCE)


def noisy(seeds: range, spread: float = 0.15) -> np.ndarray:
    noise = [np.random.default_rng(seed).normal(size=(LENGTH, 3)) for seed in seeds]
    shapes = [coil(LENGTH).numpy() + spread * one for one in noise]
    return np.array(shapes, dtype=np.float32)


def links(positions: np.ndarray) -> np.ndarray:
    linked = np.ones(positions.shape[:2], dtype=bool)
    linked[:, -1] = False
    return linked


def lengths(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(positions.astype(np.float64), axis=1), axis=-1)


@pytest.mark.parametrize("tolerance", [0.05, 0.2, 0.5])
def test_no_bead_moves_further_than_it_may(tolerance: float) -> None:
    positions = noisy(range(4))
    eased = ease_trace(positions, TYPES, links(positions), tolerance)
    moved = np.linalg.norm(eased - positions, axis=-1)
    assert moved.max() <= tolerance + 1e-5
    off = [np.abs(lengths(x) - 3.8) for x in (positions, eased)]
    assert off[1].mean() < off[0].mean()


def test_distances_come_back_where_there_is_room() -> None:
    positions = noisy(range(4), 0.1)
    eased = lengths(ease_trace(positions, TYPES, links(positions), 0.5))
    assert np.abs(lengths(positions) - 3.8).max() > 0.25
    assert np.abs(eased - 3.805).max() < 0.08


def test_beads_that_fit_stay_to_the_bit() -> None:
    steps = np.tile([[3.0, 2.33, 0.0], [3.0, -2.33, 0.0]], (4, 1))
    straight = np.cumsum(steps, axis=0, dtype=np.float32)[None]
    linked = links(straight)
    types = letter_index("A" * 8)
    assert np.array_equal(ease_trace(straight, types, linked, 0.3), straight)


def test_short_distances_become_cis() -> None:
    positions = noisy(range(1), 0.0)
    step = positions[0, 11] - positions[0, 10]
    positions[0, 11:] -= step * (1 - 3.05 / np.linalg.norm(step))
    eased = lengths(ease_trace(positions, TYPES, links(positions), 0.5))
    assert eased[0, 10] == pytest.approx(2.955, abs=0.08)


def test_breaks_are_left_alone_and_frames_do_not_see_each_other() -> None:
    positions = noisy(range(3))
    positions[1, 12:] += 9.0
    linked = links(positions)
    linked[1, 11] = False
    together = ease_trace(positions, TYPES, linked, 0.3)
    assert lengths(together)[1, 11] > 10.0
    for frame in range(3):
        alone = ease_trace(positions[frame : frame + 1], TYPES, linked[frame : frame + 1], 0.3)
        assert np.array_equal(alone[0], together[frame])


def test_spacing_is_odd_where_no_peptide_fits() -> None:
    linked = np.array([[True, True, True, False, True, True, False]])
    steps = np.array([0.0, 3.80, 3.80, 3.90, 9.0, 2.94, 4.05])
    ca = np.cumsum(steps)[None, :, None] * [0.0, 1.0, 0.0]
    odd = odd_spacing(ca, letter_index("AAAAAPA"), linked)[0]
    assert odd[[0, 1, 4]].tolist() == [0.0, 0.0, 0.0]
    assert 0.1 < odd[2] == odd[3] < 0.9
    assert odd[[5, 6]].tolist() == [1.0, 1.0]
