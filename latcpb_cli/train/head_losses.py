"""Losses of the heads beyond the paper: stages 3 to 5, on the structures of best mode."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.backbone.given_backbone import put_on_backbone
from latcpb_cli.backbone.peptide_rotations import sector_directions
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.geometry.codec import FIRST_CHI, PEPTIDE_ROTATION
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.predictor import Predictor
from latcpb_cli.sidechains.candidates import build_candidates
from latcpb_cli.sidechains.contacts import find_candidate_contacts
from latcpb_cli.sidechains.rescoring import N_ROUNDS
from latcpb_cli.train.batch import Batch
from latcpb_cli.train.losses import LossContext
from latcpb_cli.train.reconstruction import symmetric_torsions
from latcpb_cli.train.scores import MIN_PROBABILITY, energy_score, nll

__all__ = ["packing_loss", "peptides_loss", "rescoring_loss"]

_TARGET_CONCENTRATION = 40.0
"""Of the von Mises density around a true rotation; its standard deviation is 9 degrees, two sectors."""
_MAX_CHI_ERROR = math.radians(40.0)
"""Chi angles further from the decoder's are in another rotameric state; the tolerance of chi accuracy."""
_MEDIAN_TO_STD = 0.6745
"""Median distance from the mean of a Gaussian, in standard deviations."""


def peptides_loss(predictor: Predictor, batch: Batch, context: LossContext) -> dict[str, Tensor]:
    """Negative log-likelihood of the true rotations of peptides, and squared error of the mean direction.

    A peptide counts in proportion to the confidence in its atoms.
    """
    heads = predictor.peptide_rotations
    assert heads is not None
    with torch.no_grad():
        graph, condition, latent = _encode_best(predictor, batch, context.schedule)
        decoded = predictor.latcpb.decoder(latent, condition, graph, side_chains=False)
    mask = batch.torsion_mask[:, PEPTIDE_ROTATION]
    true, weight = batch.internal.torsions[mask, PEPTIDE_ROTATION], batch.confidence[mask]
    weight = weight / weight.sum().clamp(min=1e-6)
    log_prob = heads(decoded, condition, graph)[mask]
    directions = sector_directions(true)
    target = (_TARGET_CONCENTRATION * true @ directions.T).softmax(-1)
    return {
        "peptide_nll": -(weight * (target * log_prob).sum(-1)).sum(),
        "peptide_direction": (weight * ((log_prob.exp() @ directions - true) ** 2).sum(-1)).sum(),
    }


def packing_loss(predictor: Predictor, batch: Batch, context: LossContext) -> dict[str, Tensor]:
    """Negative log-likelihoods of the true rotameric states on the backbones of best mode.

    One is conditional on the true states of all other residues, which trains every energy (Besag 1975). The
    other is that of the mean field, which trains the energies where states are uncertain (Domke 2013).
    """
    model, heads, packing = predictor.latcpb, predictor.peptide_rotations, predictor.packing
    assert heads is not None
    assert packing is not None
    with torch.no_grad():
        graph, condition, latent = _encode_best(predictor, batch, context.schedule)
        true = model.decoder(latent, condition, graph, batch.rotamer.clamp(min=0))
        true = heads.rotate_peptides(true, condition, graph, side_chains=True)
        candidates = build_candidates(true, batch.types)
    correct = candidates.index[candidates.rotamer == batch.rotamer[candidates.residue]]
    conditional = packing.conditional_logits(candidates, true.atoms, graph).log_softmax(-1)
    contacts = find_candidate_contacts(candidates, true.atoms, graph)
    marginals = packing.marginals(candidates, contacts, graph)
    count = max(len(correct), 1)
    return {
        "conditional_nll": -conditional.flatten()[correct].sum() / count,
        "mean_field_nll": -(marginals.flatten()[correct] + MIN_PROBABILITY).log().sum() / count,
        "chi_std": _chi_std_error(packing.chi_std(condition, batch.types), true, batch),
    }


def rescoring_loss(predictor: Predictor, batch: Batch, context: LossContext) -> dict[str, Tensor]:
    """Negative log-likelihood of the true rotameric states after rescoring, and energy score of atoms.

    The likelihood counts every residue the same, the energy score by the distance between states. Side chains
    are packed on the backbones of best mode, or on those that are given. Any number of rounds is trained.
    """
    heads, packing, rescoring = predictor.peptide_rotations, predictor.packing, predictor.rescoring
    assert heads is not None
    assert packing is not None
    assert rescoring is not None
    with torch.no_grad():
        graph, condition, latent = _encode_best(predictor, batch, context.schedule)
        decoded = predictor.latcpb.decoder(latent, condition, graph, side_chains=False)
        decoded = heads.rotate_peptides(decoded, condition, graph, side_chains=False)
        decoded = put_on_backbone(decoded, batch.backbone, graph, side_chains=False)
        candidates = build_candidates(decoded, batch.types)
        contacts = find_candidate_contacts(candidates, decoded.atoms, graph)
        marginals = packing.marginals(candidates, contacts, graph)
    rounds = int(torch.randint(1, N_ROUNDS + 1, (), generator=context.generator))
    environment = rescoring.environment(candidates, marginals, contacts, decoded.atoms, graph)
    log_prob = rescoring(candidates, marginals, environment, decoded.atoms, condition, graph, rounds)
    return {
        "rescoring_nll": nll(log_prob, candidates, marginals, batch),
        "energy_score": energy_score(log_prob.exp(), candidates, batch),
    }


def _encode_best(
    predictor: Predictor, batch: Batch, schedule: Schedule
) -> tuple[Graph, Condition, Float[Tensor, "L D"]]:
    """Graph, condition and latents of best mode."""
    model = predictor.latcpb
    graph = model.build_graph(batch.ca, batch.types, batch.linked, batch.sizes)
    condition = model.cg_encoder(graph)
    return graph, condition, model.expected_latent(condition, graph, schedule)


def _chi_std_error(std: Float[Tensor, "L 4"], true: Decoded, batch: Batch) -> Tensor:
    """Mean absolute difference between chi errors (rad) and the median that a Gaussian of ``std`` has.

    Its minimum is at the median of the errors, because their tails are far longer than a Gaussian's.
    """
    assert true.internal is not None
    predicted, reference = true.internal.torsions[:, FIRST_CHI:], batch.internal.torsions[:, FIRST_CHI:]
    sine = predicted[..., 1] * reference[..., 0] - predicted[..., 0] * reference[..., 1]
    error = torch.atan2(sine, (predicted * reference).sum(-1))
    symmetric = symmetric_torsions(batch.types)[:, FIRST_CHI:]
    error = torch.where(symmetric, torch.atan(torch.tan(error)), error).abs()
    mask = batch.torsion_mask[:, FIRST_CHI:] & (error < _MAX_CHI_ERROR)
    difference = (error - _MEDIAN_TO_STD * std).abs()
    return (difference * mask).sum() / mask.sum().clamp(min=1)
