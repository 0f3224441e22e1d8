"""Losses of the heads beyond the paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from tiny import tiny_predictor
from training import packed_chains

from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.geometry.codec import PEPTIDE_ROTATION
from latcpb_cli.train.batch import make_batch
from latcpb_cli.train.config import LossWeights
from latcpb_cli.train.head_losses import peptides_loss
from latcpb_cli.train.losses import LossContext, weighted_sum


def test_peptides_without_confidence_have_no_influence(packed: Path) -> None:
    predictor = tiny_predictor()
    assert predictor.peptide_rotations is not None
    torch.nn.init.normal_(predictor.peptide_rotations.logit_head[-1].weight)
    batch = make_batch(packed_chains(packed))
    context = LossContext(
        LossWeights(), Schedule.from_config(predictor.config.schedule), torch.Generator().manual_seed(0)
    )
    mirrored = replace(batch.internal, torsions=batch.internal.torsions.clone())
    mirrored.torsions[3, PEPTIDE_ROTATION] *= -1.0
    without = batch.confidence.clone()
    without[3] = 0.0
    assert batch.torsion_mask[3, PEPTIDE_ROTATION]
    for confidence, equal in ((without, True), (batch.confidence, False)):
        first, second = (
            weighted_sum(
                peptides_loss(predictor, replace(batch, internal=internal, confidence=confidence), context),
                context.weights,
            )
            for internal in (batch.internal, mirrored)
        )
        assert (first == second) == equal
