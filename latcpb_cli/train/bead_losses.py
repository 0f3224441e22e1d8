"""Loss of the encoder of beads: Cα and O from centres of mass, alone and mixed with Cα."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from latcpb_cli.chem.residues import CA_SLOT, O_SLOT, slot_mask
from latcpb_cli.com_beads.definition import centers_of_mass
from latcpb_cli.com_beads.encoder import Beads, Placement
from latcpb_cli.predictor import Predictor
from latcpb_cli.train.batch import Batch
from latcpb_cli.train.bead_noise import sample_bead_noise
from latcpb_cli.train.losses import LossContext

__all__ = ["beads_loss"]

_WHOLE_PROBABILITY = 0.6
"""Probability that all beads of a structure are centres of mass; in the others, stretches are."""
_STRETCH = 25.0
"""Mean length of stretches of one kind of beads, residues."""
_ROUND_WEIGHT = 0.3
"""Weight of the predictions before the last refinement."""
_O_WEIGHT = 0.3


def beads_loss(predictor: Predictor, batch: Batch, context: LossContext) -> dict[str, Tensor]:
    """Negative log-likelihood and squared error (Å²) of Cα, and with a lower weight of O.

    A residue counts in proportion to the confidence in its atoms. One without all heavy atoms has a Cα bead.
    """
    encoder = predictor.bead_encoder
    assert encoder is not None
    whole = (batch.present | ~torch.from_numpy(slot_mask()).to(batch.types.device)[batch.types]).all(-1)
    is_com = _sample_kinds(batch, context.generator) & whole
    centers = centers_of_mass(batch.atoms, batch.types)
    positions = torch.where(is_com[:, None], centers, batch.ca)
    positions = positions + sample_bead_noise(positions, batch.sizes, context.generator)
    beads = Beads(positions, batch.types, is_com, _segments(batch.linked))
    terms = {"bead_nll": positions.new_zeros(()), "bead_error": positions.new_zeros(())}
    placements = encoder(beads)
    for number, placement in enumerate(placements, start=1):
        weight = 1.0 if number == len(placements) else _ROUND_WEIGHT
        for name, value in _errors(placement, batch, is_com).items():
            terms[name] = terms[name] + weight * value
    final = (placements[-1].ca - batch.ca)[is_com]
    return terms | {"ca_rms": (final * final).sum(-1).mean().sqrt().detach()}


def _errors(placement: Placement, batch: Batch, is_com: Bool[Tensor, "L"]) -> dict[str, Tensor]:
    """Terms of the loss of one placement."""
    atoms = (
        (placement.ca, placement.ca_log_std, CA_SLOT, is_com, 1.0),
        (placement.o, placement.o_log_std, O_SLOT, batch.present[:, O_SLOT], _O_WEIGHT),
    )
    nll = error = placement.ca.new_zeros(())
    for predicted, log_std, slot, mask, weight in atoms:
        confidence = batch.confidence * mask
        share = weight * confidence / confidence.sum().clamp(min=1e-6)
        square = ((predicted - batch.atoms[:, slot]) ** 2).sum(-1)
        nll = nll + (share * (3 * log_std + 0.5 * square * torch.exp(-2 * log_std))).sum()
        error = error + (share * square).sum()
    return {"bead_nll": nll, "bead_error": error}


def _sample_kinds(batch: Batch, generator: torch.Generator) -> Bool[Tensor, "L"]:
    """Which beads are centres of mass."""
    index = batch.structure_index.cpu()
    whole = torch.rand(len(batch.sizes), generator=generator) < _WHOLE_PROBABILITY
    start = torch.rand(len(batch.sizes), generator=generator) < 0.5
    flips = torch.rand(len(index), generator=generator) < 1.0 / _STRETCH
    odd = (flips.cumsum(0) + start[index]) % 2 == 1
    return (whole[index] | odd).to(batch.types.device)


def _segments(linked: Bool[Tensor, "L"]) -> Int[Tensor, "L"]:
    """Number of the stretch of linked residues that each residue belongs to."""
    return (~linked).cumsum(0) - (~linked).long()
