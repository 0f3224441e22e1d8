"""The Ramachandran Z-score."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.chem.ramachandran import MAP_BINS, RESIDUE_CLASSES, ramachandran_maps
from latcpb_cli.chem.ramachandran_scores import _tables, encode_scores, ramachandran_score, ramachandran_z

GENERAL = RESIDUE_CLASSES.index("general")


def scores(*torsions):
    phi, psi = np.radians(np.array(torsions, dtype=float)).T
    return ramachandran_score(np.full(len(phi), GENERAL), phi[None], psi[None])


def test_text_and_scores_are_the_same():
    maps = np.random.default_rng(0).uniform(-8, 2, (4, MAP_BINS, MAP_BINS))
    blocks = encode_scores(maps).rstrip("\n").split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == list(RESIDUE_CLASSES)
    letters = np.array([[ord(letter) for letter in row] for row in blocks[0].split("\n")[1:]])
    assert -9.0 + 0.12 * (letters - 33) == pytest.approx(maps[0], abs=0.0601)


def test_favoured_bins_score_above_outliers():
    spread, maps = _tables()
    assert 0.05 < spread < 0.5
    for scores, levels in zip(maps, ramachandran_maps(), strict=True):
        assert scores[levels == 2].min() > scores[levels == 0].max()


def test_usual_torsions_have_a_higher_z_than_unusual_ones():
    helix, left, outlier = (
        ramachandran_z(scores(*([pair] * 50)))[0] for pair in ((-63, -42), (60, 40), (60, -90))
    )
    assert helix > 2 > -3 > left > outlier


def test_z_falls_with_the_number_of_residues_and_missing_ones_do_not_count():
    one = scores((60, 40))
    many, gaps = np.repeat(one, 30, axis=1), np.full((1, 30), np.nan)
    assert ramachandran_z(many)[0] < ramachandran_z(one)[0] < 0
    gaps[0, 0] = one[0, 0]
    assert ramachandran_z(gaps)[0] == pytest.approx(ramachandran_z(one)[0])
    assert np.isnan(ramachandran_z(np.full((1, 3), np.nan))[0])
