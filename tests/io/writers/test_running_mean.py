"""Means that an interrupted run goes on with."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.errors import OutputError
from latcpb_cli.io.writers.running_mean import RunningMean

NAN = np.nan
ROWS = np.array([[1.0, NAN, 3.0], [2.0, NAN, 5.0], [6.0, 4.0, 1.0]])


def test_means_leave_out_nan(tmp_path):
    mean = RunningMean(tmp_path / "a.mean", (3,))
    for row in ROWS[:2]:
        mean.add(row)
    np.testing.assert_array_equal(mean.mean(), [1.5, NAN, 4.0])


@pytest.mark.parametrize("n_flushed_too_many", [0, 1])
def test_a_run_goes_on_at_the_state_of_its_journal(tmp_path, n_flushed_too_many):
    broken = RunningMean(tmp_path / "a.mean", (3,))
    broken.flush()
    for row in ROWS[: 1 + n_flushed_too_many]:
        broken.add(row)
        broken.flush()
    states = {"a.mean": broken.part.sync()}
    broken.part.close()
    resumed = RunningMean(tmp_path / "a.mean", (3,), states, n_structures=1)
    for row in ROWS[1:]:
        resumed.add(row)
        resumed.flush()
    np.testing.assert_array_equal(resumed.mean(), [3.0, 4.0, 3.0])


def test_a_file_of_another_run_is_refused(tmp_path):
    other = RunningMean(tmp_path / "a.mean", (3,))
    states = {"a.mean": other.part.sync()}
    other.part.close()
    with pytest.raises(OutputError, match="not that of this run"):
        RunningMean(tmp_path / "a.mean", (3,), states, n_structures=7)
