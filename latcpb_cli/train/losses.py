"""Losses of the paper's model: stages 1 and 2 (equations 15 and 16)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.codes import sample_codes, usage_loss
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.model.prior import gaussian_kl
from latcpb_cli.predictor import Predictor
from latcpb_cli.train.batch import Batch
from latcpb_cli.train.config import LossWeights
from latcpb_cli.train.reconstruction import reconstruction_terms, steric_loss

__all__ = ["Loss", "LossContext", "autoencoder_loss", "diffusion_loss", "weighted_sum"]


@dataclass(frozen=True)
class LossContext:
    """What a loss needs beside the predictor and the batch.

    Attributes
    ----------
    weights : LossWeights
    schedule : Schedule
    generator : torch.Generator
        Of this step, on the CPU.
    pure_noise_probability : float
        See `latcpb_cli.train.config.TrainConfig`.
    """

    weights: LossWeights
    schedule: Schedule
    generator: torch.Generator
    pure_noise_probability: float = 0.0


Loss = Callable[[Predictor, Batch, LossContext], dict[str, Tensor]]
"""Returns the terms of a loss by the names of their weights, and under other names what is only logged."""


def weighted_sum(terms: dict[str, Tensor], weights: LossWeights) -> Tensor:
    """Sum the terms that have a weight."""
    weighted = [getattr(weights, name) * value for name, value in terms.items() if hasattr(weights, name)]
    return torch.stack(weighted).sum()


def autoencoder_loss(predictor: Predictor, batch: Batch, context: LossContext) -> dict[str, Tensor]:
    """Terms of equation 15."""
    model, generator = predictor.latcpb, context.generator
    graph = model.build_graph(batch.ca, batch.types, batch.linked, batch.sizes)
    condition = model.cg_encoder(graph)
    mean, log_std = model.atom_encoder(batch.atoms, batch.present, graph)
    noise = torch.randn(mean.shape, generator=generator).to(mean.device)
    latent = mean + log_std.exp() * noise
    decoded = model.decoder(latent, condition, graph, batch.rotamer.clamp(min=0))
    terms = reconstruction_terms(decoded, batch, robust=False)
    terms["steric"] = steric_loss(decoded.atoms, batch.present, graph, offset=_random_offset(noise))
    if model.prior is not None:
        codes = sample_codes(mean, generator)
        terms["mixture"] = model.prior.alignment_loss(mean, log_std, latent, codes)
        terms["contrastive"] = model.prior.contrastive_loss(mean, codes)
        terms["code_usage"] = usage_loss(mean)
        terms["code_counts"] = torch.bincount(codes, minlength=mean.shape[-1]).float()
    from_trace = model.cg_encoder.latent_gaussian(condition)
    terms["kl"] = gaussian_kl(mean, log_std, *(value.detach() for value in from_trace))
    terms["condition"] = gaussian_kl(mean.detach(), log_std.detach(), *from_trace)
    return terms


def diffusion_loss(predictor: Predictor, batch: Batch, context: LossContext) -> dict[str, Tensor]:
    """Equation 16, with geometric losses on the decoded clean latent.

    The all-atom encoder stays fixed. CG encoder and decoder keep their own losses, so that the decoder still
    reads the true latents.
    """
    model, schedule = predictor.latcpb, context.schedule
    graph = model.build_graph(batch.ca, batch.types, batch.linked, batch.sizes)
    condition = model.cg_encoder(graph)
    with torch.no_grad():
        mean, log_std = model.atom_encoder(batch.atoms, batch.present, graph)
        clean = model.normalize(mean)
    step, noise = _noise(batch, mean, context)
    noisy = schedule.add_noise(clean, noise, step)
    velocity = model.predict_velocity(noisy, step, condition, graph)
    terms = {"velocity": ((velocity - schedule.velocity(clean, noise, step)) ** 2).mean()}
    denoised = model.denormalize(schedule.clean_from_velocity(noisy, velocity, step))
    decoded = model.decoder(denoised, condition, graph, batch.rotamer.clamp(min=0))
    denoised_terms = reconstruction_terms(decoded, batch, robust=True)
    terms["denoised"] = weighted_sum(denoised_terms, context.weights)
    terms["steric"] = steric_loss(decoded.atoms, batch.present, graph, offset=_random_offset(noise))
    terms |= _decoder_terms(model, batch, condition, graph, mean)
    terms["condition"] = gaussian_kl(mean, log_std, *model.cg_encoder.latent_gaussian(condition))
    return terms | {f"denoised_{name}": value.detach() for name, value in denoised_terms.items()}


def _noise(batch: Batch, latent: Tensor, context: LossContext) -> tuple[Int[Tensor, "L"], Tensor]:
    """Noise level of each residue's structure, and its noise, in the shape of the latent."""
    n_levels = context.schedule.steps
    steps = _sample_steps(len(batch.sizes), n_levels, context)
    step = steps[batch.structure_index.cpu()].to(latent.device)
    noise = torch.randn(latent.shape, generator=context.generator).to(latent.device)
    # Half of the structures at the last level start from zero, as sampling at temperature zero does.
    zero = (step == n_levels) & (batch.structure_index % 2 == 0)
    return step, torch.where(zero[:, None], 0.0, noise)


def _sample_steps(count: int, n_levels: int, context: LossContext) -> Int[Tensor, "S"]:
    """Noise levels of ``count`` structures, some of them the last one."""
    steps = torch.randint(1, n_levels + 1, (count,), generator=context.generator)
    pure_noise = torch.rand(count, generator=context.generator) < context.pure_noise_probability
    return torch.where(pure_noise, n_levels, steps)


def _decoder_terms(
    model: LatCPB, batch: Batch, condition: Condition, graph: Graph, latent: Tensor
) -> dict[str, Tensor]:
    """Reconstruction terms of the autoencoder on true latents, which train the decoder alone."""
    fixed = Condition(*(value.detach() for value in vars(condition).values()))
    decoded = model.decoder(latent, fixed, graph, batch.rotamer.clamp(min=0))
    return reconstruction_terms(decoded, batch, robust=False)


def _random_offset(noise: Tensor) -> int:
    """First residue of the steric loss, from random numbers that the step has already."""
    return int(noise[0, 0] * 1000)
