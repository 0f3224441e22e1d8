"""Calibrations from observations: monotone, few knots, right on what they are fitted to."""

from __future__ import annotations

import numpy as np
import pytest
from calibrate_confidence import calibration_error, fit, fit_map, print_tables
from observations import Observations

from latcpb_cli.chem.residues import ALA, GLY, PRO
from latcpb_cli.confidence.calibration import ModeCalibration, MonotoneMap
from latcpb_cli.confidence.scores import Scores, has_chi


def observations(n: int = 20_000) -> Observations:
    """Residues that are right with the square of their score."""
    rng = np.random.default_rng(0)
    types = rng.integers(20, size=n)
    chi = np.where(has_chi(types), np.minimum.accumulate(rng.uniform(size=(n, 4)), -1), np.nan)
    right = np.where(np.isnan(chi), np.nan, rng.uniform(size=(n, 1)) < chi**2)
    backbone = rng.uniform(0.1, 1.0, size=n)
    error = backbone * rng.uniform(0.5, 1.5, size=n)
    side_chain = np.where(types == GLY, np.nan, 1.0 + error)
    return Observations(types, Scores(chi[None, None], backbone[None, None]), right, error, side_chain)


def test_a_map_is_monotone_and_has_few_knots():
    score = np.random.default_rng(1).uniform(size=5000)
    outcome = (np.random.default_rng(2).uniform(size=5000) < score**2).astype(float)
    knots = fit_map(score, outcome)
    assert len(knots["scores"]) == len(knots["values"]) <= 20
    assert (np.diff(knots["scores"]) > 0).all() and (np.diff(knots["values"]) >= 0).all()
    assert 0 <= min(knots["values"]) and max(knots["values"]) <= 1
    assert MonotoneMap(**knots)(np.array([0.5])) == pytest.approx(0.25, abs=0.05)


def test_a_fit_is_calibrated(capsys):
    seen = observations()
    mode = ModeCalibration.from_json(fit(seen))
    confidence = mode.confidence(seen.types, seen.scores)
    for k in range(4):
        known = np.isfinite(seen.chi_right[:, k])
        predicted = confidence.chi[0, 0, known, k].astype(float)
        assert calibration_error(predicted, seen.chi_right[known, k]) < 0.02
    assert (np.diff(mode.backbone.values) <= 0).all() and (np.diff(mode.backbone_error.values) >= 0).all()
    assert mode.side_chain_error["GLY"] == [] and len(mode.side_chain_error["LYS"]) == 5
    for residue in (ALA, PRO):
        rows = seen.types == residue
        predicted = confidence.side_chain_error[0, 0, rows].mean()
        assert predicted == pytest.approx(seen.side_chain_error[rows].mean(), rel=0.05)
    print_tables("best", confidence, seen)
    assert "| 90–100 |" in capsys.readouterr().out
