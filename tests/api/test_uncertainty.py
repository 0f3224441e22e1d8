"""Probabilities and expected errors in Python."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import linear_calibration

from latcpb_cli.errors import UsageError, WeightsError


@pytest.mark.parametrize("settings", [{}, {"samples": 2, "seed": 1}])
def test_arrays_by_frame_sample_and_residue(model, files, settings):
    model.calibration = linear_calibration()
    result = model.backmap(files.trajectory, top=files.top, **settings)
    arrays = result.uncertainty
    assert {values.shape for values in arrays.values()} == {result.missing.shape}
    assert ((arrays["backbone"] >= 0) & (arrays["backbone"] <= 1)).all()
    assert np.isnan(arrays["chi1"]).any() and np.isfinite(arrays["chi1"]).any()
    streamed = [one.uncertainty["chi1"] for one in model.stream(files.trajectory, top=files.top, **settings)]
    assert np.array_equal(np.concatenate(streamed), arrays["chi1"], equal_nan=True)


def test_what_is_not_known(model, files):
    with pytest.raises(WeightsError, match="no calibration"):
        _ = model.backmap(files.trajectory, top=files.top).uncertainty
    model.calibration = linear_calibration()
    with pytest.raises(UsageError, match="modes best and ensemble"):
        _ = model.backmap(files.trajectory, top=files.top, without=("relief",)).uncertainty
