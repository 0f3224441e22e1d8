"""The loss of the encoder of centres of mass."""

from __future__ import annotations

from pathlib import Path

import torch
from tiny import tiny_predictor
from training import packed_chains

from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.train.batch import make_batch
from latcpb_cli.train.bead_losses import beads_loss
from latcpb_cli.train.config import LossWeights
from latcpb_cli.train.losses import LossContext


def test_the_error_falls(packed: Path) -> None:
    predictor = tiny_predictor(com_beads=True)
    batch = make_batch(packed_chains(packed))
    schedule = Schedule.from_config(predictor.config.schedule, "cpu")
    assert predictor.bead_encoder is not None
    optimizer = torch.optim.Adam(predictor.bead_encoder.requires_grad_(True).parameters(), lr=1e-3)
    errors = []
    for _ in range(30):
        context = LossContext(LossWeights(), schedule, torch.Generator().manual_seed(0))
        terms = beads_loss(predictor, batch, context)
        errors.append(float(terms["ca_rms"]))
        optimizer.zero_grad()
        (0.3 * terms["bead_nll"] + terms["bead_error"]).backward()
        optimizer.step()
    assert errors[-1] < 0.5 * errors[0]


def test_kinds_and_noise_follow_from_the_generator(packed: Path) -> None:
    predictor = tiny_predictor(com_beads=True)
    batch = make_batch(packed_chains(packed))
    schedule = Schedule.from_config(predictor.config.schedule, "cpu")
    values = [
        float(beads_loss(predictor, batch, LossContext(LossWeights(), schedule, generator))["bead_error"])
        for generator in (torch.Generator().manual_seed(seed) for seed in (1, 1, 2))
    ]
    assert values[0] == values[1] != values[2]
