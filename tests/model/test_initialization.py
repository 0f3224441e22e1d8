"""Models that are built without random numbers."""

from __future__ import annotations

import torch
from torch import nn

from latcpb_cli.model.initialization import WithoutInitialization
from latcpb_cli.predictor import Predictor
from tests.support.tiny import TINY


def test_random_numbers_are_drawn_outside_only():
    state = torch.get_rng_state()
    with WithoutInitialization():
        layers = nn.Linear(3, 2), nn.Embedding(4, 3), nn.Bilinear(2, 2, 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert [tuple(layer.weight.shape) for layer in layers] == [(2, 3), (4, 3), (2, 2, 2)]
    nn.Linear(3, 2)
    assert not torch.equal(torch.get_rng_state(), state)


def test_a_loaded_model_is_the_one_that_was_saved():
    """Everything but the state, such as couplings, does not depend on the context either."""
    saved = Predictor(TINY)
    with WithoutInitialization():
        loaded = Predictor(TINY)
    loaded.load_state_dict(saved.state_dict())
    assert all(map(torch.equal, saved.parameters(), loaded.parameters()))
    assert all(map(torch.equal, saved.buffers(), loaded.buffers()))
