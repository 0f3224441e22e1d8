"""How often side chains stay as they are in a template, beyond what the model predicts."""

from __future__ import annotations

import numpy as np
import pytest
from persistence import Persistence


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9])
def test_what_stays_beyond_the_prediction_is_found(kept: float) -> None:
    """Side chains stay with a probability, or are sampled from three rotamers as the model predicts."""
    rng, count = np.random.default_rng(0), 20_000
    probability = rng.dirichlet(np.ones(3), size=count)
    template = (rng.random((count, 1)) > probability.cumsum(1)).sum(1).clip(max=2)
    sampled = (rng.random((count, 1)) > probability.cumsum(1)).sum(1).clip(max=2)
    native = np.where(rng.random(count) < kept, template, sampled)
    rows = np.arange(count)
    measured = Persistence(
        rng.random(count), native == template, probability[rows, template], probability[rows, native]
    )
    assert measured.beyond_the_model() == pytest.approx(kept, abs=0.02)
    assert len(measured.between(0.25, 0.5).same) == pytest.approx(count / 4, rel=0.05)
    assert measured.percentages()[0] == pytest.approx(100 * measured.same.mean())
