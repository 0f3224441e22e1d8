"""Tables of confidence: names, means, missing residues."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.confidence.record import QUANTITIES, Confidence, mean_quantities, residue_columns


def record(n_frames: int = 2) -> Confidence:
    shape = n_frames, 1, 3
    chi = np.full((*shape, 4), np.nan, dtype=np.float32)
    chi[:, :, 1:, 0] = [[0.5, 0.7]]
    values = (np.arange(3 * n_frames, dtype=np.float32) / 10).reshape(shape)
    return Confidence(chi, values, values + 1, values + 2)


def test_quantities_are_named():
    arrays = record().as_dict()
    assert tuple(arrays) == QUANTITIES
    assert arrays["chi1"].shape == (2, 1, 3)
    assert arrays["backbone_error"][1, 0, 2] == pytest.approx(2.5)


def test_means_leave_out_what_is_not_known():
    first, second = record().means()
    assert first["chi1"] == second["chi1"] == pytest.approx(0.6)
    assert first["chi1_to_chi4"] is None
    assert (first["backbone"], second["backbone"]) == (0.1, 0.4)


def test_missing_residues_have_no_confidence():
    missing = np.array([[[False, True, False]], [[False, False, False]]])
    table = record().without(missing).table()
    assert np.isnan(table[0, 0, 1]).all()
    assert np.array_equal(table[1], record().table()[1], equal_nan=True)
    assert np.isnan(Confidence.unknown(1, 2, 3).table()).all()


def test_frames_are_joined():
    joined = Confidence.concatenate([record(1), record(2)])
    assert joined.table().shape == (3, 1, 3, 7)


def test_the_values_of_a_residue_are_the_means_of_that_residue_alone():
    table = np.random.default_rng(2).random((5, len(QUANTITIES)))
    table[1, :4] = np.nan
    columns = residue_columns(table)
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert rows == [mean_quantities(table[i : i + 1]) for i in range(5)]
    assert rows[1]["chi1"] is None
