"""The CG encoder E_phi: Cα trace and residue types to a condition per residue."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
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
_N_CONTEXT_INPUTS = 4 * 20 + 2
"""Types of the residues up to two peptides away, one-hot, and whether the residue is the first or last."""


@dataclass(frozen=True, eq=False)
class Condition:
    """Output of the CG encoder for L residues, computed once per frame.

    Attributes
    ----------
    residues : Tensor, shape (L, C)
        Z^C of the paper.
    pairs : Tensor, shape (L, K, E)
        Embedded pair features, which decoder and denoiser use as well.
    """

    residues: Float[Tensor, "L C"]
    pairs: Float[Tensor, "L K E"]


@dataclass(frozen=True, eq=False)
class ExtraFeatures:
    """Inputs of a `TraceEncoder` in addition to the trace.

    Attributes
    ----------
    residues : Tensor, shape (L, C)
        Added to the embedded residue features.
    pairs : callable
        Features of the pairs of some residues, (rows, K, extra), appended to those of the graph.
    """

    residues: Float[Tensor, "L C"]
    pairs: Callable[[slice], Float[Tensor, "rows K extra"]]


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
        self.sequence_context = nn.Linear(_N_CONTEXT_INPUTS, dim)
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
        x = self.residue_embedding(graph.types) + self._sequence_context(graph)
        if extra is not None:
            x = x + extra.residues
        features: Tensor | float = 0.0
        layers = zip(
            self.neighbor_scalars, self.densities, self.node_products, self.invariant_updates, strict=True
        )
        for project, density, product, update in layers:
            scalars = graph.gather(project(x))
            features = features + density(graph.surroundings, scalars)
            invariants, features = product(features, update=product is not self.node_products[-1])
            x = x + update(invariants)
        pairs = self._embed_pairs(graph, extra)
        return self.norm(self.transformer(x, pairs, graph)), pairs

    def _sequence_context(self, graph: Graph) -> Float[Tensor, "L C"]:
        """Apply the linear layer to inputs of which few are one, and the others zero: sum their weights."""
        by_input = nn.functional.pad(self.sequence_context.weight.T, (0, 0, 0, 1))
        summed = nn.functional.embedding_bag(_context_inputs(graph), by_input, mode="sum")
        return summed + self.sequence_context.bias

    def _embed_pairs(self, graph: Graph, extra: ExtraFeatures | None) -> Float[Tensor, "L K E"]:
        """Embed the features of pairs, which are wider than their embedding, some residues at a time."""
        embedded = graph.ca.new_empty(*graph.index.shape, self.pair_dim)
        for rows in row_blocks(len(embedded), _ROWS_PER_CPU_BLOCK, embedded.device):
            features = graph.pair_features(rows)
            if extra is not None:
                features = torch.cat([features, extra.pairs(rows)], dim=-1)
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
        return Condition(*self.encode(graph))

    def latent_gaussian(self, condition: Condition) -> tuple[Float[Tensor, "L D"], Float[Tensor, "L D"]]:
        """Return mean and logarithm of the standard deviation of the latent, given the trace alone."""
        mean, log_std = self.latent_head(condition.residues).float().chunk(2, dim=-1)
        return torch.sigmoid(mean), log_std.clamp(_MIN_LOG_STD, _MAX_LOG_STD)


def _context_inputs(graph: Graph) -> Int[Tensor, "L 6"]:
    """Inputs of the sequence context that are one: types of four residues, whether first, whether last.

    `_N_CONTEXT_INPUTS`, which is no input, where there is no such residue.
    """
    has_next, order, absent = graph.linked, graph.order, _N_CONTEXT_INPUTS
    has_previous = order.linked_before(has_next)
    next_type = torch.where(has_next, order.next(graph.types), absent)
    previous_type = torch.where(has_previous, order.previous(graph.types), absent)
    second_next = torch.where(has_next, order.next(next_type), absent)
    second_previous = torch.where(has_previous, order.previous(previous_type), absent)
    inputs = [next_type, previous_type + 20, second_next + 40, second_previous + 60]
    ends = [torch.where(has_previous, absent, absent - 2), torch.where(has_next, absent, absent - 1)]
    return torch.stack([*inputs, *ends], dim=-1).clamp(max=absent)
