"""How well probabilities of candidates foretell side chains: proper scores, least where they are right."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.sidechains.candidates import SIDE, Candidates
from latcpb_cli.sidechains.expected_error import expected_errors
from latcpb_cli.train.batch import Batch

__all__ = ["LEAST_SHARE", "energy_score", "nll"]

LEAST_SHARE = 1e-6
"""A mean field can rule a state out: no logarithm of less than this."""


def nll(
    score: Float[Tensor, "L M"], candidates: Candidates, share: Float[Tensor, "L M"], batch: Batch
) -> Tensor:
    """Negative log probability of the true states, of those that ``share`` leaves possible."""
    right = candidates.state == batch.rotamer[candidates.residue]
    place = candidates.place[right & (share.flatten()[candidates.place] > LEAST_SHARE)]
    return -score.flatten()[place].sum() / max(len(place), 1)


def energy_score(share: Float[Tensor, "L M"], candidates: Candidates, batch: Batch) -> Tensor:
    """How far (Å², summed over a side chain) its atoms are from where they are expected.

    As E d(X, y) - E d(X, X') / 2 (Gneiting & Raftery 2007, with squared
    distances), which leaves symmetric atoms their two names.
    """
    errors, _ = expected_errors(candidates, share, batch.types)
    residue = candidates.residue
    present = batch.present[:, SIDE].index_select(0, residue)
    apart = [
        (((candidates.atoms - true[:, SIDE].index_select(0, residue)) ** 2).sum(-1) * present).sum(-1)
        for true in (batch.atoms, batch.swapped)
    ]
    weight, known = share.flatten().index_select(0, candidates.place), batch.rotamer >= 0
    score = weight * (torch.minimum(*apart) - 0.5 * errors) * known.index_select(0, residue)
    return score.sum() / known.sum().clamp(min=1)
