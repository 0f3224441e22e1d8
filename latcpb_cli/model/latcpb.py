"""All parts together: the autoencoder and the diffusion model over its latents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from latcpb_cli.backbone.peptide_rotations import PeptideRotations
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.config import ModelConfig, from_json
from latcpb_cli.diffusion.noise import Noise
from latcpb_cli.diffusion.sampler import Sampling, sample
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.errors import WeightsError
from latcpb_cli.model.atom_encoder import AtomEncoder
from latcpb_cli.model.cg_encoder import CGEncoder, Condition
from latcpb_cli.model.decoder import Decoded, Decoder, Rotamers
from latcpb_cli.model.denoiser import Denoiser
from latcpb_cli.model.graph import Graph, build_graph
from latcpb_cli.model.prior import MixturePrior
from latcpb_cli.sidechains.packing import Packing
from latcpb_cli.sidechains.rescoring import Rescoring
from latcpb_cli.sidechains.selection import choose_side_chains, rotamer_probabilities

__all__ = ["LatCPB"]


class LatCPB(nn.Module):
    """The LatCPB model; ablations are values of ``config``, not other classes.

    Inference calls `graph`, ``cg_encoder``, ``denoiser`` through a sampler
    (`draw`), then ``decoder``, ``peptides``, ``packing`` and ``rescoring`` (`build`). ``atom_encoder``
    serves training and the measuring of the autoencoder only.
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
        self.peptides = None if config.cartesian else PeptideRotations(config)
        self.packing = None if config.cartesian else Packing(config)
        self.rescoring = None if config.cartesian else Rescoring(config)
        self.register_buffer("latent_mean", torch.full((config.latent,), 0.5))
        self.register_buffer("latent_std", torch.full((config.latent,), 0.25))

    @classmethod
    def load(cls, config: Path, weights: Path, device: torch.device | str = "cpu") -> LatCPB:
        """Load a trained model for inference from its two files.

        Raises
        ------
        WeightsError
            The files do not fit each other or this version.
        """
        model = cls(from_json(ModelConfig, config))
        try:
            model.load_state_dict(load_file(weights))
        except (RuntimeError, SafetensorError) as error:
            reason = str(error).splitlines()[0]
            raise WeightsError(
                f"{weights} does not fit {config.name} ({reason})",
                "fetch the weights again, or update latcpb",
            ) from error
        return model.to(device).eval().requires_grad_(False)

    def graph(self, ca: Tensor, types: Tensor, linked: Tensor, sizes: list[int]) -> Graph:
        """Neighbourhoods of a batch; see `build_graph`."""
        return build_graph(
            ca, types, linked, sizes, neighbors=self.config.neighbors, cutoff=self.config.cutoff
        )

    def normalize(self, latent: Float[Tensor, "L D"]) -> Float[Tensor, "L D"]:
        """Scale latents to mean zero and variance one, as diffusion wants them."""
        return (latent - self.latent_mean) / self.latent_std

    def restore(self, scaled: Float[Tensor, "L D"]) -> Float[Tensor, "L D"]:
        """Undo `normalize`, and return to the sigmoid's range."""
        return (scaled * self.latent_std + self.latent_mean).clamp(0.0, 1.0)

    def velocity(
        self, noisy: Float[Tensor, "L D"], step: Int[Tensor, "T"], condition: Condition, graph: Graph
    ) -> Float[Tensor, "L D"]:
        """The denoiser's answer at integer noise levels."""
        if self.denoiser is None:
            raise RuntimeError("this configuration has no diffusion model")
        return self.denoiser(noisy, step / self.config.schedule.steps, condition, graph)

    def draw(
        self,
        noise: Noise,
        condition: Condition,
        graph: Graph,
        schedule: Schedule,
        settings: Sampling,
    ) -> Float[Tensor, "L D"]:
        """Latents for a condition: by diffusion, or from the CG encoder's Gaussian without it."""
        device = graph.ca.device

        def drawn() -> Tensor:
            return noise(self.config.latent).to(device)

        if self.denoiser is None:
            return condition.mean + settings.temperature * condition.log_std.exp() * drawn()

        def denoise(noisy: Tensor, step: int) -> Tensor:
            return self.velocity(noisy, torch.full((1,), step, device=device), condition, graph)

        return self.restore(sample(denoise, drawn, schedule, settings))

    def expected(self, condition: Condition, graph: Graph, schedule: Schedule) -> Float[Tensor, "L D"]:
        """Latents that one step from no noise at all gives: best mode's."""

        def still(width: int) -> Tensor:
            return torch.zeros(len(graph.types), width)

        return self.draw(still, condition, graph, schedule, Sampling(steps=1, temperature=0.0))

    def build(
        self,
        latent: Float[Tensor, "L D"],
        condition: Condition,
        graph: Graph,
        noise: Float[Tensor, "L N"] | None = None,
        told: Rotamers | None = None,
        votes: Float[Tensor, "L R"] | None = None,
    ) -> Decoded:
        """Atoms for latents, side chains packed against each other.

        Parameters
        ----------
        noise
            Makes the side chains a sample; without it they, and the peptides, are the best answer.
        told
            Rotameric states to choose from instead of the latents' own. A drawn
            latent has nearly decided them, without seeing the neighbours' draws.
        votes
            What other frames add to the probability of each rotameric state; see `RotamerConsensus`.
        """
        if self.packing is None or self.rescoring is None:
            return self.decoder(latent, condition, graph)
        decoded = self._backbones(latent, condition, graph, best=noise is None)
        if told is not None:
            decoded = replace(decoded, rotamers=told)
        return choose_side_chains(decoded, condition, graph, self.packing, self.rescoring, noise, votes)

    def shares(
        self, latent: Float[Tensor, "L D"], condition: Condition, graph: Graph
    ) -> Float[Tensor, "L R"]:
        """Probability of every rotameric state, as best mode judges it; zeros where positions are decoded."""
        if self.packing is None or self.rescoring is None:
            return latent.new_zeros(len(latent), N_ROTAMERS)
        decoded = self._backbones(latent, condition, graph, best=True)
        return rotamer_probabilities(decoded, condition, graph, self.packing, self.rescoring)

    def _backbones(
        self, latent: Float[Tensor, "L D"], condition: Condition, graph: Graph, *, best: bool
    ) -> Decoded:
        decoded = self.decoder(latent, condition, graph, side_chains=False)
        if best and self.peptides is not None:
            return self.peptides.turned(decoded, graph, side_chains=False)
        return decoded
