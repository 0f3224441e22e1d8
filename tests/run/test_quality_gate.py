"""Limits on a report: how they are read, and when they stop a run."""

from __future__ import annotations

import pytest

from latcpb_cli.errors import ExitCode, QualityGateError, UsageError
from latcpb_cli.run.quality_gate import check_limits, parse_limits

NAMES = ("contact12_percent", "overlap04_per_1000", "bonds", "bonds_peptide", "d_residues")


def test_names_may_be_abbreviated():
    assert parse_limits(" contact12=0, overlap04 = 10.5,d=1", NAMES) == {
        "contact12_percent": 0.0,
        "overlap04_per_1000": 10.5,
        "d_residues": 1.0,
    }
    assert parse_limits("bonds=2", NAMES) == {"bonds": 2.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("knots=0", "'knots' is not known"),
        ("bo=0", "'bo' stands for several"),
        ("=1", "'' is not known"),
        ("bonds", "'bonds' is no limit"),
        ("bonds=few", "'bonds=few' is no limit"),
        ("bonds=-1", "'bonds=-1' is no limit"),
        ("bonds=nan", "'bonds=nan' is no limit"),
        (" , ", "without a limit"),
    ],
)
def test_limits_that_cannot_be_read_are_refused(text, message):
    with pytest.raises(UsageError, match=message) as caught:
        parse_limits(text, NAMES)
    assert "bonds" in caught.value.hint or "NAME=LIMIT" in caught.value.hint


def test_the_hint_for_an_unknown_name_lists_all_names():
    with pytest.raises(UsageError) as caught:
        parse_limits("knots=0", NAMES)
    assert all(name in caught.value.hint for name in NAMES)


SUMMARY = {
    "peaks": {
        "bonds": {"value": 3, "frame": 12, "sample": 1},
        "contact12_percent": {"value": 0.0, "frame": 0, "sample": 0},
    }
}


def test_values_up_to_the_limit_pass():
    check_limits(SUMMARY, {"bonds": 3.0, "contact12_percent": 0.0, "d_residues": 0.0})


def test_the_worst_frame_over_a_limit_is_named():
    with pytest.raises(QualityGateError, match=r"bonds 3 > 2 \(frame 12, sample 1\)$") as caught:
        check_limits(SUMMARY, {"bonds": 2.0, "contact12_percent": 0.0})
    assert caught.value.exit_code == ExitCode.QUALITY_GATE == 6
