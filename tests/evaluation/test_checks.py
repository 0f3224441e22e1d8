"""Checks and limits of figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.evaluation.checks import CHECKS
from latcpb_cli.evaluation.definitions import DEFINITIONS
from latcpb_cli.evaluation.evaluate import evaluate_pair
from latcpb_cli.evaluation.limits import exceeded, limit_names

SAMPLE = structure("MKTAYIAPQRDFEWGV", phi=-63, psi=-42)


def failed(sample):
    column = evaluate_pair(sample, sample).methods[0]
    return {check.name for check in column.checks if check.passed is False}


def test_a_sound_helix_passes_what_can_be_checked():
    assert failed(SAMPLE) <= {"overlaps", "rotamers"}


def test_missing_atoms_and_mirror_images_fail():
    partial = replace(SAMPLE, present=SAMPLE.present.copy(), atoms=SAMPLE.atoms.copy())
    partial.present[1, 8] = False
    assert "complete" in failed(partial)
    mirrored = replace(SAMPLE, atoms=SAMPLE.atoms * np.float32([-1, 1, 1]))
    assert {"chirality", "thr_ile", "ramachandran", "favoured"} <= failed(mirrored)


def test_every_check_has_a_figure_and_a_name_of_its_own():
    names = {entry.name for entry in DEFINITIONS} | {""}
    assert {check.figure for check in CHECKS} <= names
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize(
    ("limits", "over"),
    [
        ({"d_residues": 0, "ramachandran_favoured": 90, "chi.chi1": 100, "ged": 0}, 0),
        ({"ramachandran_favoured": 100.1}, 1),
        ({"radius": 0}, None),
    ],
)
def test_limits(limits, over):
    evaluation = evaluate_pair(SAMPLE, SAMPLE)
    if over is None:
        assert not set(limits) & set(limit_names())
    else:
        assert len(exceeded(evaluation, limits)) == over


def test_what_is_not_measured_passes_no_limit():
    (line,) = exceeded(evaluate_pair(SAMPLE, SAMPLE), {"clashscore": 10})
    assert line == "generated: clashscore was not measured"
