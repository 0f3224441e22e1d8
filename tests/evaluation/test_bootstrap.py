"""Bootstrap intervals."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.evaluation.bootstrap import bootstrap_intervals, ratio_interval
from latcpb_cli.evaluation.records import FrameTable


def table(values, structure=None, sample=None):
    n = len(next(iter(values.values())))
    return FrameTable(
        structure=np.array(structure or ["a"] * n),
        frame=np.arange(n),
        sample=np.zeros(n, dtype=np.int64) if sample is None else np.array(sample),
        values={name: np.asarray(column, dtype=float) for name, column in values.items()},
    )


def test_width_of_the_interval_of_a_mean():
    values = np.random.default_rng(1).normal(5.0, 1.0, 400)
    low, high = bootstrap_intervals(table({"shape.sasa": values}))["shape.sasa"]
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(400), rel=0.15)


def test_percentages_and_counts_have_the_unit_of_the_tables():
    hits, of = np.tile([0, 1], 50), np.full(100, 2)
    values = {}
    for name in ("validity.bonds", "validity.d_residues"):
        values |= {name: hits, f"{name}_of": of}
    intervals = bootstrap_intervals(table(values))
    assert intervals["validity.bonds"] == pytest.approx((20, 30), abs=2)
    assert intervals["validity.d_residues"] == pytest.approx((40, 60), abs=4)


def test_structures_are_drawn_where_there_are_several():
    within = table({"shape.sasa": [1, 9, 1, 9]}, structure=["a", "a", "b", "b"])
    assert bootstrap_intervals(within)["shape.sasa"] == (5.0, 5.0)


def test_samples_of_a_frame_stay_together():
    together = table({"shape.sasa": [1, 9, 1, 9]}, sample=[0, 1, 0, 1])
    assert bootstrap_intervals(together)["shape.sasa"] == (5.0, 5.0)
    only = table({"shape.sasa": [1, 9, 1, 9]}, sample=[0, 1, 2, 3])
    assert bootstrap_intervals(only)["shape.sasa"][0] < 5.0


def test_missing_values_do_not_count_and_one_frame_has_no_interval():
    low, high = bootstrap_intervals(table({"shape.sasa": [2, np.nan, 2, np.nan]}))["shape.sasa"]
    assert (low, high) == (2.0, 2.0)
    assert bootstrap_intervals(table({"shape.sasa": [2.0]})) == {}


def test_the_ratio_of_sums_weighs_units_by_their_cases():
    low, high = ratio_interval(np.array([0.0, 90.0]), np.array([10.0, 90.0]))
    assert (low, high) == (0.0, 1.0)
    many = ratio_interval(np.tile([5.0, 45.0], 200), np.tile([10.0, 90.0], 200))
    assert many == pytest.approx((0.5, 0.5))


def test_a_ratio_without_cases_or_of_one_unit_has_no_interval():
    assert ratio_interval(np.zeros(3), np.zeros(3)) is None
    assert ratio_interval(np.ones(1), np.ones(1)) is None
