"""The five stages of training: what one step computes.

Stage 1 trains the autoencoder (eq. 15). Stage 2 freezes the all-atom encoder
and the prior, and trains the denoiser (eq. 16) together with the CG encoder
and the decoder, which keep their own losses so that the latent stays readable. Stage 3 trains
the encoders that judge peptides for best mode. Stage 4 fits the contact energies
of the packing to the states of true side chains, stage 5 the second look that
follows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from latcpb_cli.backbone.peptide_rotations import sector_directions
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.geometry.codec import ROTATION
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.codes import draw_codes, usage_loss
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.model.prior import gaussian_kl
from latcpb_cli.sidechains.candidates import build_candidates
from latcpb_cli.sidechains.contacts import find_candidate_contacts
from latcpb_cli.train.batch import Batch
from latcpb_cli.train.losses import reconstruction_terms, steric_loss, symmetric_torsions
from latcpb_cli.train.scores import LEAST_SHARE, energy_score, nll

__all__ = [
    "LossWeights",
    "autoencoder_loss",
    "diffusion_loss",
    "packing_loss",
    "peptides_loss",
    "rescoring_loss",
    "trained_parts",
]

_SHARPNESS = 40.0  # of the von Mises density around a true rotation: a spread of 9 degrees
_BULK = math.radians(40.0)
_MEDIAN = 0.6745  # of the distance from the middle of a Gaussian, in standard deviations


@dataclass(frozen=True)
class LossWeights:
    """Weights of eq. 15 and of the terms inside eq. 12, and of those of stage 5 (``misplaced`` per Å²).

    ``usage`` keeps codes alive; ``condition`` fits the CG encoder's Gaussian
    to the (fixed) posterior, the half of the KL term that trains E_phi.
    """

    cartesian: float = 1.0
    length: float = 1.0
    angle: float = 1.0
    torsion: float = 1.0
    rotamer: float = 0.5
    bend: float = 1.0
    steric: float = 0.3
    mixture: float = 0.02
    contrast: float = 0.1
    usage: float = 0.1
    kl: float = 0.02
    condition: float = 0.5
    noise: float = 1.0
    decoded: float = 1.0
    rescored: float = 1.0
    misplaced: float = 0.1


def trained_parts(model: LatCPB, stage: str) -> list[torch.nn.Module]:
    """Modules whose weights a stage changes."""
    parts: list[torch.nn.Module | None]
    if stage == "autoencoder":
        parts = [model.atom_encoder, model.cg_encoder, model.decoder, model.prior]
    elif stage == "diffusion":
        parts = [model.cg_encoder, model.decoder, model.denoiser]
    elif stage == "peptides":
        parts = [model.peptides]
    elif stage == "packing":
        parts = [model.packing]
    else:
        parts = [model.rescoring]
    return [part for part in parts if part is not None]


def autoencoder_loss(
    model: LatCPB, batch: Batch, weights: LossWeights, generator: torch.Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    """Eq. 15 on one batch, and its parts for the log."""
    graph = model.graph(batch.ca, batch.types, batch.linked, batch.sizes)
    condition = model.cg_encoder(graph)
    mean, log_std = model.atom_encoder(batch.atoms, batch.present, graph)
    noise = torch.randn(mean.shape, generator=generator).to(mean.device)
    drawn = mean + log_std.exp() * noise
    decoded = model.decoder(drawn, condition, graph, batch.rotamer.clamp(min=0))
    terms = reconstruction_terms(decoded, batch, robust=False)
    terms["steric"] = steric_loss(decoded.atoms, batch.present, graph, offset=int(noise[0, 0] * 1000))
    if model.prior is not None:
        codes = draw_codes(mean, generator)
        terms["mixture"] = model.prior.alignment(mean, log_std, drawn, codes)
        terms["contrast"] = model.prior.contrast(mean, codes)
        terms["usage"] = usage_loss(mean)
        terms["codes"] = torch.bincount(codes, minlength=mean.shape[-1]).float()
    toward = condition.mean.detach(), condition.log_std.detach()
    terms["kl"] = gaussian_kl(mean, log_std, *toward)
    terms["condition"] = gaussian_kl(mean.detach(), log_std.detach(), condition.mean, condition.log_std)
    return _total(terms, weights), terms


def diffusion_loss(
    model: LatCPB,
    batch: Batch,
    weights: LossWeights,
    generator: torch.Generator,
    schedule: Schedule,
    pure_noise: float,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Eq. 16, with geometric losses on the decoded clean latent.

    A share ``pure_noise`` of the structures starts at the last noise level.
    """
    graph = model.graph(batch.ca, batch.types, batch.linked, batch.sizes)
    condition = model.cg_encoder(graph)
    with torch.no_grad():
        mean, log_std = model.atom_encoder(batch.atoms, batch.present, graph)
        clean = model.normalize(mean)
    steps = _draw_steps(len(batch.sizes), schedule.steps, pure_noise, generator)
    step = steps[batch.structure.cpu()].to(mean.device)
    noise = torch.randn(mean.shape, generator=generator).to(mean.device)
    # Half of the structures at the last level start from zero, as sampling at temperature zero does.
    still = (step == schedule.steps) & (batch.structure % 2 == 0)
    noise = torch.where(still[:, None], 0.0, noise)
    noisy = schedule.add_noise(clean, noise, step)
    velocity = model.velocity(noisy, step, condition, graph)
    terms = {"noise": ((velocity - schedule.velocity(clean, noise, step)) ** 2).mean()}
    guess = model.restore(schedule.clean(noisy, velocity, step))
    answer = model.decoder(guess, condition, graph, batch.rotamer.clamp(min=0))
    decoded = reconstruction_terms(answer, batch, robust=True)
    terms["decoded"] = _total(decoded, weights)
    terms["steric"] = steric_loss(answer.atoms, batch.present, graph, offset=int(noise[0, 0] * 1000))
    terms.update(_decoder_upkeep(model, batch, condition, graph, mean))
    terms["condition"] = gaussian_kl(mean, log_std, condition.mean, condition.log_std)
    terms |= {f"guess_{name}": value.detach() for name, value in decoded.items()}
    return _total(terms, weights), terms


def peptides_loss(model: LatCPB, batch: Batch, schedule: Schedule) -> tuple[Tensor, dict[str, Tensor]]:
    """Surprise at the true rotations of peptides, and the squared distance of the mean direction.

    Each reader learns by itself. A peptide counts for as much as its atoms are to be believed.
    """
    assert model.peptides is not None
    with torch.no_grad():
        graph, condition, latent = _best_mode(model, batch, schedule)
        decoded = model.decoder(latent, condition, graph, side_chains=False)
    known = batch.known[:, ROTATION]
    true, weight = batch.internal.torsions[known, ROTATION], batch.certainty[known]
    weight = weight / weight.sum().clamp(min=1e-6)
    share = model.peptides(decoded, graph)[:, known]
    middle = sector_directions(true)
    aim = (_SHARPNESS * true @ middle.T).softmax(-1)
    terms = {
        "rotation": -(weight * (aim * share).sum(-1)).sum(),
        "astray": (weight * ((share.exp() @ middle - true) ** 2).sum(-1)).sum(),
    }
    return torch.stack(list(terms.values())).sum(), terms


def packing_loss(model: LatCPB, batch: Batch, schedule: Schedule) -> tuple[Tensor, dict[str, Tensor]]:
    """Surprise at the true rotameric states on the backbones of best mode.

    Once where all other side chains are right, which teaches every energy, and
    once in the mean field, which teaches what to make of them where they are not.
    """
    assert model.packing is not None
    assert model.peptides is not None
    with torch.no_grad():
        graph, condition, latent = _best_mode(model, batch, schedule)
        true = model.decoder(latent, condition, graph, batch.rotamer.clamp(min=0))
        true = model.peptides.turned(true, graph, side_chains=True)
        candidates = build_candidates(true, batch.types)
    right = candidates.place[candidates.state == batch.rotamer[candidates.residue]]
    known = model.packing.conditional(candidates, true.atoms, graph).log_softmax(-1)
    share = model.packing.marginals(candidates, find_candidate_contacts(candidates, true.atoms, graph), graph)
    terms = {
        "packing": -known.flatten()[right].sum() / max(len(right), 1),
        "field": -(share.flatten()[right] + LEAST_SHARE).log().sum() / max(len(right), 1),
        "spread": _within_states(model.packing.width(condition, batch.types), true, batch),
    }
    return torch.stack(list(terms.values())).sum(), terms


def rescoring_loss(
    model: LatCPB, batch: Batch, weights: LossWeights, schedule: Schedule
) -> tuple[Tensor, dict[str, Tensor]]:
    """Surprise at the true rotameric states after the second look, and its error in places of atoms.

    Surprise counts every residue the same, errors by how far states are apart.
    """
    assert model.peptides is not None
    assert model.packing is not None
    assert model.rescoring is not None
    with torch.no_grad():
        graph, condition, latent = _best_mode(model, batch, schedule)
        decoded = model.decoder(latent, condition, graph, side_chains=False)
        decoded = model.peptides.turned(decoded, graph, side_chains=False)
        candidates = build_candidates(decoded, batch.types)
        around = find_candidate_contacts(candidates, decoded.atoms, graph)
        share = model.packing.marginals(candidates, around, graph)
    score = model.rescoring(candidates, share, around, decoded.atoms, condition, graph)
    terms = {
        "rescored": nll(score, candidates, share, batch),
        "misplaced": energy_score(score.exp(), candidates, batch),
    }
    return _total(terms, weights), terms


def _best_mode(model: LatCPB, batch: Batch, schedule: Schedule) -> tuple[Graph, Condition, Tensor]:
    """Graph, condition and latents of best mode, which stages 3 to 5 serve."""
    graph = model.graph(batch.ca, batch.types, batch.linked, batch.sizes)
    condition = model.cg_encoder(graph)
    return graph, condition, model.expected(condition, graph, schedule)


def _within_states(width: Tensor, true: Decoded, batch: Batch) -> Tensor:
    """Distance of the median deviation of chi angles (rad) from that of a Gaussian of this spread.

    The median, because tails are far longer than a Gaussian's and would widen it.
    """
    assert true.internal is not None
    own, reference = true.internal.torsions[:, 4:], batch.internal.torsions[:, 4:]
    sine = own[..., 1] * reference[..., 0] - own[..., 0] * reference[..., 1]
    away = torch.atan2(sine, (own * reference).sum(-1))
    away = torch.where(symmetric_torsions(batch.types)[:, 4:], torch.atan(torch.tan(away)), away)
    bulk = batch.known[:, 4:] & (away.abs() < _BULK)
    miss = (away.abs() - _MEDIAN * width).abs()
    return (miss * bulk).sum() / bulk.sum().clamp(min=1)


def _decoder_upkeep(
    model: LatCPB, batch: Batch, condition: Condition, graph: Graph, mean: Tensor
) -> dict[str, Tensor]:
    """The autoencoder's reconstruction terms on the true latent, while its condition moves."""
    fixed = Condition(*(value.detach() for value in vars(condition).values()))
    answer = model.decoder(mean, fixed, graph, batch.rotamer.clamp(min=0))
    return reconstruction_terms(answer, batch, robust=False)


def _draw_steps(count: int, steps: int, pure_noise: float, generator: torch.Generator) -> Tensor:
    """Noise levels of ``count`` structures: some at pure noise, where the first guess is made."""
    drawn = torch.randint(1, steps + 1, (count,), generator=generator)
    pure = torch.rand(count, generator=generator) < pure_noise
    return torch.where(pure, steps, drawn)


def _total(terms: dict[str, Tensor], weights: LossWeights) -> Tensor:
    weighted = [getattr(weights, name) * value for name, value in terms.items() if hasattr(weights, name)]
    return torch.stack(weighted).sum()
