"""The noise of beads is estimated from the misfit of peptides."""

from __future__ import annotations

import numpy as np

from latcpb_cli.backbone.bead_noise import estimate_bead_noise

JOINED = np.ones((3, 200), dtype=bool)


def misfits(*scales: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.array(scales)[:, None] * rng.normal(size=(len(scales), 200))


def test_noise_grows_with_the_misfit_of_each_frame() -> None:
    exact, noisy, noisier = estimate_bead_noise(misfits(0.07, 0.13, 0.17), JOINED)
    assert exact == 0.0 and 0.2 < noisy < 0.45 and noisy < noisier < 0.7
    assert estimate_bead_noise(misfits(0.07, 0.13), JOINED[:2])[1] == noisy


def test_few_peptides_and_single_outliers_say_little() -> None:
    few = JOINED & (np.arange(200) < 4)
    even = np.full((3, 200), 0.13)
    assert (estimate_bead_noise(even, few) < 0.6 * estimate_bead_noise(even, JOINED)).all()
    one = misfits(0.07)
    one[0, 50] = 9.0
    assert estimate_bead_noise(one, JOINED[:1])[0] < 0.1
    assert estimate_bead_noise(one, ~JOINED[:1]).tolist() == [0.0]
