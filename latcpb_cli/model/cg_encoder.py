"""E_phi: the Cα trace and its sequence become a condition per residue."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.links import linked_before
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.equivariant import Density, NodeProduct, harmonics
from latcpb_cli.model.graph import PAIR_FEATURES, Graph

__all__ = ["CGEncoder", "Condition", "ExtraFeatures", "TraceEncoder"]

_MIN_SPREAD, _MAX_SPREAD = math.log(0.02), math.log(1.0)


@dataclass(frozen=True, eq=False)
class Condition:
    """What the CG encoder says of L residues, once per frame.

    Attributes
    ----------
    residues : (L, C)
        Z^C of the paper.
    pairs : (L, K, P)
        Pair features that later stacks read again.
    mean, log_std : (L, D)
        Gaussian over the latent given the trace alone.
    """

    residues: Float[Tensor, "L C"]
    pairs: Float[Tensor, "L K P"]
    mean: Float[Tensor, "L D"]
    log_std: Float[Tensor, "L D"]


@dataclass(frozen=True, eq=False)
class ExtraFeatures:
    """What an encoder is told beside the trace: more of each residue (L, C), and of each pair (L, K, H)."""

    residues: Float[Tensor, "L C"]
    pairs: Float[Tensor, "L K H"]


class TraceEncoder(nn.Module):
    """Equivariant layers over Cα pairs, then a transformer over their invariants.

    Parameters
    ----------
    config : ModelConfig
    n_extra_pair_features : int
        Numbers per pair in the `ExtraFeatures` it will be given.
    """

    def __init__(self, config: ModelConfig, n_extra_pair_features: int = 0) -> None:
        super().__init__()
        dim, channels = config.dim, config.channels
        self.residue_embedding = nn.Embedding(20, dim)
        self.sequence_context = nn.Linear(4 * 20 + 2, dim)
        self.pair_embedding = nn.Sequential(
            nn.Linear(PAIR_FEATURES + n_extra_pair_features, config.pair_dim),
            nn.SiLU(),
            nn.Linear(config.pair_dim, config.pair_dim),
        )
        self.neighbor_scalars = nn.ModuleList(nn.Linear(dim, channels) for _ in range(config.equivariant_layers))
        self.densities = nn.ModuleList(
            Density(channels, config.cutoff) for _ in range(config.equivariant_layers)
        )
        self.node_products = nn.ModuleList(NodeProduct(channels, 32) for _ in range(config.equivariant_layers))
        self.invariant_updates = nn.ModuleList(
            nn.Sequential(nn.Linear(32, dim), nn.SiLU(), nn.Linear(dim, dim))
            for _ in range(config.equivariant_layers)
        )
        self.transformer = NeighborTransformer(config, config.cg_layers)
        self.norm = nn.LayerNorm(dim)

    def encode(
        self, graph: Graph, extra: ExtraFeatures | None = None
    ) -> tuple[Float[Tensor, "L C"], Float[Tensor, "L K P"]]:
        """Features of residues and of pairs."""
        x = self.residue_embedding(graph.types) + self.sequence_context(_sequence_context(graph))
        pairs = graph.pairs
        if extra is not None:
            x, pairs = x + extra.residues, torch.cat([pairs, extra.pairs], dim=-1)
        angular = harmonics(graph.vectors)
        features: Tensor | float = 0.0
        for scalar_map, density, product, update in zip(
            self.neighbor_scalars, self.densities, self.node_products, self.invariant_updates, strict=True
        ):
            scalars = graph.gather(scalar_map(x))
            features = features + density(graph.vectors, scalars, graph.valid, angular)
            invariants, features = product(features)
            x = x + update(invariants)
        pairs = self.pair_embedding(pairs)
        return self.norm(self.transformer(x, pairs, graph)), pairs


class CGEncoder(TraceEncoder):
    """What the trace says of every residue, and a Gaussian over its latent."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.latent_head = nn.Linear(config.dim, 2 * config.latent)

    def forward(self, graph: Graph) -> Condition:
        """Encode every residue of the batch."""
        residues, pairs = self.encode(graph)
        mean, log_std = self.latent_head(residues).float().chunk(2, dim=-1)
        return Condition(residues, pairs, torch.sigmoid(mean), log_std.clamp(_MIN_SPREAD, _MAX_SPREAD))


def _sequence_context(graph: Graph) -> Float[Tensor, "L 82"]:
    """Types of the residues up to two peptides away, and whether the residue begins or ends a piece."""
    kinds = torch.nn.functional.one_hot(graph.types, 20).float()
    ahead = graph.linked
    behind = linked_before(ahead)
    one_up = kinds.roll(-1, 0) * ahead[:, None]
    one_down = kinds.roll(1, 0) * behind[:, None]
    two_up = one_up.roll(-1, 0) * ahead[:, None]
    two_down = one_down.roll(1, 0) * behind[:, None]
    ends = torch.stack([~behind, ~ahead], dim=-1).float()
    return torch.cat([one_up, one_down, two_up, two_down, ends], dim=-1)
