"""Cα that move towards backbones that proteins have."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from tiny import SEQUENCE, coil

from latcpb_cli.backbone.peptide_chain import Backbone
from latcpb_cli.backbone.relax_trace import _strain, relax_trace
from latcpb_cli.backbone.viterbi import _pair_costs, best_rotations
from latcpb_cli.chem.residues import letter_index

TYPES = letter_index(SEQUENCE)
LENGTH = len(SEQUENCE)


def frames(count: int) -> np.ndarray:
    """Wandering chains: Cα 3.8 Å apart, bent at random as a force field without angle terms leaves them."""
    noise = [0.3 * np.random.default_rng(seed).normal(size=(LENGTH, 3)) for seed in range(count)]
    return np.array([coil(LENGTH).numpy() + one for one in noise], dtype=np.float32)


def links(positions: np.ndarray) -> np.ndarray:
    linked = np.ones(positions.shape[:2], dtype=bool)
    linked[:, -1] = False
    return linked


def helix(length: int) -> np.ndarray:
    """Cα of an alpha helix: 1.5 Å rise, 100 degrees, radius 2.3 Å."""
    turn = np.radians(100.0) * np.arange(length)
    points = np.stack([2.3 * np.cos(turn), 2.3 * np.sin(turn), 1.5 * np.arange(length)], axis=-1)
    return points[None].astype(np.float32)


def least_strain(positions: np.ndarray) -> float:
    """Energy of the best rotations on given Cα."""
    total = 0.0
    for frame, linked in zip(positions, links(positions), strict=True):
        ca = torch.from_numpy(frame.astype(np.float64))
        backbone = Backbone.of(ca, TYPES, linked)
        total += float(_strain(ca, best_rotations(ca, backbone), backbone).sum())
    return total


@pytest.mark.parametrize("tolerance", [0.1, 0.3])
def test_backbones_get_better_and_no_bead_moves_further_than_it_may(tolerance: float) -> None:
    positions = frames(4)
    moved = relax_trace(positions, TYPES, links(positions), tolerance)
    assert np.linalg.norm(moved - positions, axis=-1).max() <= tolerance + 1e-5
    assert least_strain(moved) < (1 - tolerance) * least_strain(positions)


def test_beads_that_fit_stay_to_the_bit() -> None:
    positions = helix(12)
    assert np.array_equal(relax_trace(positions, letter_index("A" * 12), links(positions), 0.3), positions)


def test_only_the_neighbourhood_of_trouble_moves() -> None:
    positions = helix(20)
    positions[0, 10] += [0.6, 0.0, 0.0]
    moved = relax_trace(positions, letter_index("A" * 20), links(positions), 0.5)
    still = (moved == positions).all(-1)[0]
    assert still[:4].all() and still[17:].all() and not still[10]


def test_frames_do_not_see_each_other() -> None:
    positions = frames(3)
    together = relax_trace(positions, TYPES, links(positions), 0.3)
    for frame in range(3):
        alone = positions[frame : frame + 1]
        assert np.array_equal(relax_trace(alone, TYPES, links(alone), 0.3)[0], together[frame])


def test_a_turned_chain_moves_the_same_way() -> None:
    positions = frames(1)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    turned = (positions.astype(np.float64) @ turn).astype(np.float32)
    moved = relax_trace(positions, TYPES, links(positions), 0.3).astype(np.float64) @ turn
    assert np.abs(relax_trace(turned, TYPES, links(turned), 0.3) - moved).max() < 1e-2


def test_breaks_stay_open() -> None:
    positions = frames(1)
    positions[0, 12:] += 9.0
    linked = links(positions)
    linked[0, 11] = False
    moved = relax_trace(positions, TYPES, linked, 0.3)
    assert np.linalg.norm(moved[0, 12] - moved[0, 11]) > 10.0


def test_rotations_are_the_best_of_all() -> None:
    ca = torch.from_numpy(frames(1)[0, :4].astype(np.float64))
    backbone = Backbone.of(ca, TYPES[:4], np.array([True, True, True, False]))
    costs = _pair_costs(ca, backbone).numpy()
    choices = itertools.product(range(36), repeat=3)
    least = min(costs[1, first, second] + costs[2, second, third] for first, second, third in choices)
    found = _strain(ca, best_rotations(ca, backbone), backbone)
    assert float(found.sum()) == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_short_chains(length: int) -> None:
    positions = helix(length)
    moved = relax_trace(positions, letter_index("A" * length), links(positions), 0.3)
    assert np.array_equal(moved, positions)


def test_beads_in_one_place_stay_finite() -> None:
    positions = np.zeros((1, 6, 3), dtype=np.float32)
    moved = relax_trace(positions, letter_index("APGAPA"), links(positions), 0.3)
    assert np.isfinite(moved).all()
    assert np.linalg.norm(moved, axis=-1).max() <= 0.3 + 1e-5
