"""Calibrations give probabilities between 0 and 1 that keep the order of the scores."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from cg_files import linear_calibration

from latcpb_cli.chem.residues import letter_index
from latcpb_cli.confidence.calibration import Calibration, MonotoneMap, require_calibration
from latcpb_cli.confidence.scores import Scores
from latcpb_cli.errors import WeightsError

BEST = linear_calibration().modes["best"]


def confidence(sequence: str, chi, backbone: float = 0.2, mode=BEST):
    length = len(sequence)
    scores = Scores(np.array(chi, float).reshape(1, 1, length, 4), np.full((1, 1, length), backbone))
    return mode.confidence(letter_index(sequence), scores)


def test_two_chi_are_right_no_more_often_than_one():
    mode = replace(BEST, chi=[MonotoneMap([0, 1], [0.0, 0.5]), *BEST.chi[1:]])
    given = confidence("K", [0.8, 0.7, 0.6, 0.2], mode=mode).chi[0, 0, 0]
    assert given == pytest.approx([0.4, 0.4, 0.4, 0.2])


def test_error_of_a_side_chain_is_the_mean_over_what_may_be_wrong():
    # With chi 1 wrong 2 Å, with chi 2 wrong 1 Å, with both right 0.5 Å.
    given = confidence("L", [0.9, 0.6, np.nan, np.nan])
    assert given.side_chain_error[0, 0, 0] == pytest.approx(0.1 * 2.0 + 0.3 * 1.0 + 0.6 * 0.5, abs=1e-6)


def test_residues_without_a_choice():
    given = confidence("GAP", np.full((3, 4), np.nan), backbone=0.5)
    assert np.isnan(given.chi).all()
    assert np.isnan(given.side_chain_error[0, 0, 0])
    assert given.side_chain_error[0, 0, 1:] == pytest.approx([1.0, 1.0])
    assert given.backbone == pytest.approx(np.full((1, 1, 3), 0.9))


def test_a_calibration_of_other_weights_is_none(tmp_path):
    knots = {"scores": [0, 1], "values": [0, 1]}
    mode = {"chi": [knots] * 4, "backbone": knots, "backbone_error": knots, "side_chain_error": {}}
    path = tmp_path / "confidence.json"
    path.write_text(json.dumps({"model_sha256": "ab", "modes": {"best": mode}}))
    loaded = Calibration.load(path, "ab")
    assert loaded is not None and loaded.modes["best"].chi[3](np.array([0.25])) == 0.25
    assert Calibration.load(path, "cd") is None
    path.write_text('{"modes": []}')
    with pytest.raises(WeightsError, match="no calibration"):
        Calibration.load(path, "ab")


def test_no_calibration_is_said():
    with pytest.raises(WeightsError, match="have no calibration") as caught:
        require_calibration(None)
    assert "calibrate_confidence" in caught.value.hint
