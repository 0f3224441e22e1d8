"""Proper scores of the probabilities of candidates: least in expectation where the probabilities are true."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.sidechains.candidates import SIDE_CHAIN_SLOTS, Candidates
from latcpb_cli.sidechains.expected_error import expected_errors
from latcpb_cli.train.batch import Batch

__all__ = ["MIN_PROBABILITY", "energy_score", "nll"]

MIN_PROBABILITY = 1e-6
"""The mean field can underflow to zero; below this, a state counts as ruled out."""


def nll(
    log_prob: Float[Tensor, "L M"], candidates: Candidates, prior: Float[Tensor, "L M"], batch: Batch
) -> Float[Tensor, ""]:
    """Mean negative log probability of the true states, of those that ``prior`` does not rule out."""
    correct = candidates.rotamer == batch.rotamer[candidates.residue]
    rows = candidates.index[correct & (prior.flatten()[candidates.index] > MIN_PROBABILITY)]
    return -log_prob.flatten()[rows].sum() / max(len(rows), 1)


def energy_score(
    probability: Float[Tensor, "L M"], candidates: Candidates, batch: Batch
) -> Float[Tensor, ""]:
    """Mean energy score (Å², summed over the atoms of a side chain).

    E d(X, y) - E d(X, X') / 2 of Gneiting & Raftery 2007, with squared distances, where symmetric atoms take
    the better of their two names.
    """
    errors, _ = expected_errors(candidates, probability, batch.types)
    residue = candidates.residue
    present = batch.present[:, SIDE_CHAIN_SLOTS].index_select(0, residue)
    distances = [
        (
            ((candidates.atoms - true[:, SIDE_CHAIN_SLOTS].index_select(0, residue)) ** 2).sum(-1) * present
        ).sum(-1)
        for true in (batch.atoms, batch.swapped_atoms)
    ]
    weight, known = probability.flatten().index_select(0, candidates.index), batch.rotamer >= 0
    score = weight * (torch.minimum(*distances) - 0.5 * errors) * known.index_select(0, residue)
    return score.sum() / known.sum().clamp(min=1)
