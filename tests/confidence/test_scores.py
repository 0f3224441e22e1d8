"""Scores of side chains and backbones follow from what is predicted of them."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.chem.residues import letter_index
from latcpb_cli.confidence.scores import backbone_score, chi_scores, has_chi


def scores(sequence: str, given, probability, chi, std: float = 0.05) -> np.ndarray:
    """Scores of residues with the same chi angles (degrees) given, in the same rotamers."""
    length = len(sequence)
    return chi_scores(
        letter_index(sequence),
        np.radians(np.broadcast_to(given, (length, 4))),
        np.broadcast_to(probability, (length, len(probability))),
        np.radians(np.broadcast_to(chi, (length, len(chi), 4))),
        np.full((length, 4), std),
    )


def test_score_is_the_probability_of_the_rotamers_within_40_degrees():
    rotamers = [[60, 180, 0, 0], [60, 60, 0, 0], [180, 180, 0, 0]]
    score = scores("L", [70, -170, 0, 0], [0.5, 0.3, 0.2], rotamers)[0]
    assert score[:2] == pytest.approx([0.8, 0.5], abs=1e-3)
    assert np.isnan(score[2:]).all()


def test_half_of_a_rotamer_at_the_limit_counts():
    assert scores("S", [100, 0, 0, 0], [1.0], [[60, 0, 0, 0]])[0, 0] == pytest.approx(0.5)


def test_symmetric_ends_are_right_after_half_a_turn():
    score = scores("FH", [60, -90, 0, 0], [1.0], [[60, 90, 0, 0]])
    assert score[:, 1] == pytest.approx([1.0, 0.0], abs=1e-3)


def test_glycine_alanine_and_proline_have_no_score():
    assert np.isnan(scores("GAP", [0, 0, 0, 0], [1.0], [[0, 0, 0, 0]])).all()
    assert has_chi(letter_index("GAPVK")).sum(-1).tolist() == [0, 0, 0, 1, 4]


def test_backbone_score_is_a_distance_without_uncertainty():
    linked = np.array([[True, True, True, False]])
    shift = np.full((1, 1, 4, 3), 0.04)
    score = backbone_score(shift, np.zeros((1, 1, 4)), linked)
    assert score[0, 0, 1:3] == pytest.approx([0.2, 0.2])
    assert (score[0, 0, [0, 3]] > 0.5).all()


def test_an_uncertain_peptide_makes_both_of_its_residues_uncertain():
    linked = np.array([[True, True, True, True, False]])
    variance = np.array([[[0.0, 0.0, 0.5, 0.0, 0.0]]])
    certain, uncertain = (
        backbone_score(np.zeros((1, 1, 5, 3)), v, linked)[0, 0] for v in (0 * variance, variance)
    )
    assert (uncertain > certain).tolist() == [False, False, True, True, False]
    assert uncertain[2] > uncertain[3]


def test_the_last_peptide_of_a_ring_belongs_to_its_first_residue():
    linked, shift = np.ones((1, 4), dtype=bool), np.zeros((1, 1, 4, 3))
    variance = np.array([[[0.0, 0.5, 0.0, 0.0]]])
    two_rings = backbone_score(shift, variance, linked, np.array([1, 0, 3, 2]))[0, 0]
    assert two_rings[0] > 0 and two_rings[1] > 0
    assert two_rings[2:].tolist() == [0.0, 0.0]
