"""The paper's model: the autoencoder, and the diffusion model of its latents."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig
from latcpb_cli.diffusion.noise import NoiseSource
from latcpb_cli.diffusion.sampler import SamplerSettings, sample
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.diffusion.step_counter import StepCounter
from latcpb_cli.geometry.links import LINEAR, ChainOrder
from latcpb_cli.model.atom_encoder import AtomEncoder
from latcpb_cli.model.cg_encoder import CGEncoder, Condition
from latcpb_cli.model.decoder import Decoder
from latcpb_cli.model.denoiser import Denoiser
from latcpb_cli.model.graph import Graph, build_graph
from latcpb_cli.model.prior import MixturePrior

__all__ = ["LatCPB"]


class LatCPB(nn.Module):
    """The LatCPB model; the paper's ablations are values of ``config``, not other classes.

    Inference runs `build_graph`, ``cg_encoder``, `sample_latent` and ``decoder``. ``atom_encoder`` and
    ``prior`` serve training and the evaluation of the autoencoder only. `README.md` in this folder maps the
    equations of the paper to functions.

    Parameters
    ----------
    config : ModelConfig

    Attributes
    ----------
    cg_encoder : CGEncoder
        E_phi.
    decoder : Decoder
        D.
    atom_encoder : AtomEncoder
        E.
    prior : MixturePrior or None
        None for a plain conditional VAE.
    denoiser : Denoiser or None
        None where latents come from the CG encoder's Gaussian.
    latent_mean, latent_std : Tensor, shape (D,)
        Of the training latents; diffusion runs on latents of mean zero and variance one.
    """

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.cg_encoder = CGEncoder(config)
        self.decoder = Decoder(config)
        self.atom_encoder = AtomEncoder(config)
        self.prior = MixturePrior(config) if config.discrete else None
        self.denoiser = Denoiser(config) if config.diffusion else None
        self.register_buffer("latent_mean", torch.full((config.latent,), 0.5))
        self.register_buffer("latent_std", torch.full((config.latent,), 0.25))

    def build_graph(
        self,
        ca: Float[Tensor, "L 3"],
        types: Int[Tensor, "L"],
        linked: Bool[Tensor, "L"],
        sizes: list[int],
        order: ChainOrder = LINEAR,
    ) -> Graph:
        """Build the neighbourhoods of a batch; see `latcpb_cli.model.graph.build_graph`."""
        return build_graph(ca, types, linked, sizes, self.config, order)

    def normalize(self, latent: Float[Tensor, "L D"]) -> Float[Tensor, "L D"]:
        """Scale latents to mean zero and variance one, as the diffusion model needs them."""
        return (latent - self.latent_mean) / self.latent_std

    def denormalize(self, scaled: Float[Tensor, "L D"]) -> Float[Tensor, "L D"]:
        """Invert `normalize`, and clamp to the range of the sigmoid."""
        return (scaled * self.latent_std + self.latent_mean).clamp(0.0, 1.0)

    def predict_velocity(
        self, noisy: Float[Tensor, "L D"], step: Int[Tensor, "T"], condition: Condition, graph: Graph
    ) -> Float[Tensor, "L D"]:
        """Run the denoiser at integer noise levels, one for all residues (T = 1) or one for each (T = L)."""
        if self.denoiser is None:
            raise RuntimeError("this configuration has no diffusion model")
        velocity: Tensor = self.denoiser(noisy, step / self.config.schedule.steps, condition, graph)
        return velocity

    def sample_latent(
        self,
        noise: NoiseSource,
        condition: Condition,
        graph: Graph,
        schedule: Schedule,
        settings: SamplerSettings,
        counter: StepCounter | None = None,
    ) -> Float[Tensor, "L D"]:
        """Sample latents given a condition: by diffusion, or without it from the CG encoder's Gaussian.

        The counter, if there is one, counts the evaluations of the denoiser.
        """
        device = graph.ca.device

        def next_noise() -> Tensor:
            return noise(self.config.latent).to(device)

        if self.denoiser is None:
            mean, log_std = self.cg_encoder.latent_gaussian(condition)
            return mean + settings.temperature * log_std.exp() * next_noise()

        def denoise(noisy: Tensor, step: int) -> Tensor:
            return self.predict_velocity(noisy, torch.full((1,), step, device=device), condition, graph)

        counted = denoise if counter is None else counter.counting(denoise)
        return self.denormalize(sample(counted, next_noise, schedule, settings))

    def expected_latent(self, condition: Condition, graph: Graph, schedule: Schedule) -> Float[Tensor, "L D"]:
        """Return the latents of best mode: one denoising step from zero noise."""

        def zeros(width: int) -> Tensor:
            return torch.zeros(len(graph.types), width)

        return self.sample_latent(
            zeros, condition, graph, schedule, SamplerSettings(steps=1, temperature=0.0)
        )
