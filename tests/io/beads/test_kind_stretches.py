"""The hidden Markov model of bead kinds, on distances of its own."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.residues import letter_index
from latcpb_cli.io.beads.kind_distances import CA_KIND, COM_KIND, OTHER_KIND, distance_log_densities
from latcpb_cli.io.beads.kind_stretches import find_stretches

TYPES = letter_index("MKWAYEGRQ" * 8)


def test_densities_add_up_to_one() -> None:
    grid = np.arange(0.0, 20.0, 0.01)
    pair = np.tile(letter_index("WP"), len(grid))
    densities = np.exp(distance_log_densities(pair, np.repeat(grid, 2)[:-1], 0.2)[::2])
    assert np.allclose(densities.sum(axis=0) * 0.01, 1.0, atol=0.01)


def test_distances_of_ca_are_ca() -> None:
    stretches = find_stretches(TYPES, np.full(len(TYPES) - 1, 3.81))
    assert (stretches.kinds == CA_KIND).all() and stretches.sure.all() and stretches.evidence < 1.0


def test_distances_that_follow_the_residues_are_centres() -> None:
    large, small = np.isin(TYPES, letter_index("WRY")), np.isin(TYPES, letter_index("AG"))
    sizes = np.where(large, 3.2, np.where(small, 1.8, 2.5))
    distances = sizes[1:] + sizes[:-1]
    stretches = find_stretches(TYPES, distances)
    assert (stretches.kinds == COM_KIND).all() and stretches.evidence > 20.0
    distances[:30] = 3.8
    kinds = find_stretches(TYPES, distances).kinds
    assert (kinds[:28] == CA_KIND).all() and (kinds[33:] == COM_KIND).all()


def test_distances_of_neither_are_neither() -> None:
    distances = np.random.default_rng(0).uniform(5.0, 8.5, len(TYPES) - 1)
    assert (find_stretches(TYPES, distances).kinds == OTHER_KIND).mean() > 0.9


def test_unknown_distances_say_nothing() -> None:
    stretches = find_stretches(TYPES, np.full(len(TYPES) - 1, np.nan))
    assert not stretches.sure.any() and stretches.evidence < 3.0
