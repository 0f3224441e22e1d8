"""The CG encoder E_phi: Cα trace and residue types to a condition per residue."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.equivariant import NeighborDensity, NodeProduct
from latcpb_cli.model.graph import N_PAIR_FEATURES, Graph
from latcpb_cli.model.row_blocks import row_blocks

__all__ = ["CGEncoder", "Condition", "ExtraFeatures", "TraceEncoder"]

_MIN_LOG_STD, _MAX_LOG_STD = math.log(0.02), math.log(1.0)
_ROWS_PER_CPU_BLOCK = 128
"""Residues whose pair features are embedded at once: a CPU has few of them in its cache."""
_N_SCALARS = 32
"""Invariants that each equivariant layer passes to the residue features."""


@dataclass(frozen=True, eq=False)
class Condition:
    """Output of the CG encoder for L residues, computed once per frame.

    Attributes
    ----------
    residues : Tensor, shape (L, C)
        Z^C of the paper.
    pairs : Tensor, shape (L, K, E)
        Embedded pair features, which decoder and denoiser use as well.
    mean, log_std : Tensor, shape (L, D)
        Gaussian over the latent given the trace alone.
    """

    residues: Float[Tensor, "L C"]
    pairs: Float[Tensor, "L K E"]
    mean: Float[Tensor, "L D"]
    log_std: Float[Tensor, "L D"]


@dataclass(frozen=True, eq=False)
class ExtraFeatures:
    """Inputs of a `TraceEncoder` in addition to the trace.

    Attributes
    ----------
    residues : Tensor, shape (L, C)
        Added to the embedded residue features.
    pairs : Tensor, shape (L, K, extra)
        Appended to the pair features of the graph.
    """

    residues: Float[Tensor, "L C"]
    pairs: Float[Tensor, "L K extra"]


class TraceEncoder(nn.Module):
    """Equivariant layers over Cα pairs, then a transformer over their invariants.

    Parameters
    ----------
    config : ModelConfig
    n_layers : int
        Layers of the transformer.
    n_extra_pair_features : int
        Pair features of the `ExtraFeatures` that the encoder takes.
    """

    def __init__(self, config: ModelConfig, n_layers: int, n_extra_pair_features: int = 0) -> None:
        super().__init__()
        dim, channels, layers = config.dim, config.channels, range(config.equivariant_layers)
        self.pair_dim = config.pair_dim
        self.residue_embedding = nn.Embedding(20, dim)
        self.sequence_context = nn.Linear(4 * 20 + 2, dim)
        self.pair_embedding = nn.Sequential(
            nn.Linear(N_PAIR_FEATURES + n_extra_pair_features, config.pair_dim),
            nn.SiLU(),
            nn.Linear(config.pair_dim, config.pair_dim),
        )
        self.neighbor_scalars = nn.ModuleList(nn.Linear(dim, channels) for _ in layers)
        self.densities = nn.ModuleList(NeighborDensity(channels) for _ in layers)
        self.node_products = nn.ModuleList(NodeProduct(channels, _N_SCALARS) for _ in layers)
        self.invariant_updates = nn.ModuleList(
            nn.Sequential(nn.Linear(_N_SCALARS, dim), nn.SiLU(), nn.Linear(dim, dim)) for _ in layers
        )
        self.transformer = NeighborTransformer(config, n_layers)
        self.norm = nn.LayerNorm(dim)

    def encode(
        self, graph: Graph, extra: ExtraFeatures | None = None
    ) -> tuple[Float[Tensor, "L C"], Float[Tensor, "L K E"]]:
        """Return features of residues and of pairs."""
        x = self.residue_embedding(graph.types) + self.sequence_context(_sequence_context(graph))
        if extra is not None:
            x = x + extra.residues
        features: Tensor | float = 0.0
        layers = zip(
            self.neighbor_scalars, self.densities, self.node_products, self.invariant_updates, strict=True
        )
        for project, density, product, update in layers:
            scalars = graph.gather(project(x))
            features = features + density(graph.surroundings, scalars)
            invariants, features = product(features)
            x = x + update(invariants)
        pairs = self._embed_pairs(graph, extra)
        return self.norm(self.transformer(x, pairs, graph)), pairs

    def _embed_pairs(self, graph: Graph, extra: ExtraFeatures | None) -> Float[Tensor, "L K E"]:
        """Embed the features of pairs, which are wider than their embedding, some residues at a time."""
        embedded = graph.ca.new_empty(*graph.index.shape, self.pair_dim)
        for rows in row_blocks(len(embedded), _ROWS_PER_CPU_BLOCK, embedded.device):
            features = graph.pair_features(rows)
            if extra is not None:
                features = torch.cat([features, extra.pairs[rows]], dim=-1)
            embedded[rows] = self.pair_embedding(features)
        return embedded


class CGEncoder(TraceEncoder):
    """A `TraceEncoder` with a Gaussian over the latent of every residue.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, config.cg_layers)
        self.latent_head = nn.Linear(config.dim, 2 * config.latent)

    def forward(self, graph: Graph) -> Condition:
        """Encode every residue of the batch."""
        residues, pairs = self.encode(graph)
        mean, log_std = self.latent_head(residues).float().chunk(2, dim=-1)
        return Condition(residues, pairs, torch.sigmoid(mean), log_std.clamp(_MIN_LOG_STD, _MAX_LOG_STD))


def _sequence_context(graph: Graph) -> Float[Tensor, "L 82"]:
    """One-hot types of the residues up to two peptides away, and whether the residue is the first or last."""
    one_hot = torch.nn.functional.one_hot(graph.types, 20).float()
    has_next = graph.linked
    has_previous = graph.order.linked_before(has_next)
    next_type = graph.order.next(one_hot) * has_next[:, None]
    previous_type = graph.order.previous(one_hot) * has_previous[:, None]
    second_next = graph.order.next(next_type) * has_next[:, None]
    second_previous = graph.order.previous(previous_type) * has_previous[:, None]
    ends = torch.stack([~has_previous, ~has_next], dim=-1).float()
    return torch.cat([next_type, previous_type, second_next, second_previous, ends], dim=-1)
