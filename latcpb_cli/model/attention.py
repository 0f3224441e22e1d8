"""Transformer layers over nearest neighbours: cost and memory linear in residues."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig
from latcpb_cli.device import autocast
from latcpb_cli.model.graph import Graph

__all__ = ["NeighborTransformer"]


class _NeighborAttention(nn.Module):
    """Multi-head attention in which all heads share one projection of each neighbour.

    Keys and values are the same ``key_dim`` numbers per neighbour, beside the
    pair features; heads differ in queries, pair biases and the output map.
    Everything on (L, K, ·) is then one gather and three batched matrix
    products, which is what a CPU's memory can feed.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.key_value = nn.Linear(config.dim, config.key_dim)
        self.query = nn.Linear(config.dim, config.heads * config.key_dim)
        self.out = nn.Linear(config.heads * (config.key_dim + config.pair_dim), config.dim)
        self.scale = config.key_dim**-0.5
        self.dropout = nn.Dropout(0.0)

    def forward(self, x: Tensor, pairs: Tensor, bias: Tensor, graph: Graph) -> Tensor:
        neighbors = graph.gather(self.key_value(x))
        queries = self.query(x).view(len(x), self.heads, -1) * self.scale
        logits = torch.baddbmm(bias.to(queries.dtype), queries, neighbors.transpose(1, 2))
        weights = self.dropout(logits.float().softmax(-1).to(neighbors.dtype))
        attended = torch.cat([torch.bmm(weights, neighbors), torch.bmm(weights, pairs.to(neighbors.dtype))], dim=-1)
        return self.out(attended.flatten(1))


class _Layer(nn.Module):
    def __init__(self, config: ModelConfig, conditioned: bool) -> None:
        super().__init__()
        dim = config.dim
        self.norm_attention = nn.LayerNorm(dim)
        self.attention = _NeighborAttention(config)
        self.norm_mlp = nn.LayerNorm(dim)
        narrow = nn.Linear(2 * dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.SiLU(), narrow)
        self.dropout = nn.Dropout(0.0)
        self.modulation = nn.Linear(dim, 4 * dim) if conditioned else None
        if self.modulation is not None:
            nn.init.zeros_(self.modulation.weight)
            nn.init.zeros_(self.modulation.bias)
        nn.init.normal_(self.attention.out.weight, std=0.02)
        nn.init.normal_(narrow.weight, std=0.02)

    def forward(self, x: Tensor, pairs: Tensor, bias: Tensor, graph: Graph, level: Tensor | None) -> Tensor:
        if self.modulation is None:
            x = x + self.dropout(self.attention(self.norm_attention(x), pairs, bias, graph))
            return x + self.dropout(self.mlp(self.norm_mlp(x)))
        gain_a, shift_a, gain_m, shift_m = self.modulation(level).chunk(4, dim=-1)
        x = x + self.dropout(self.attention(self.norm_attention(x) * (1 + gain_a) + shift_a, pairs, bias, graph))
        return x + self.dropout(self.mlp(self.norm_mlp(x) * (1 + gain_m) + shift_m))


class NeighborTransformer(nn.Module):
    """A stack of pre-norm layers over the K nearest neighbours.

    Parameters
    ----------
    config : ModelConfig
    layers : int
        Depth.
    conditioned : bool
        Scale and shift every norm by an embedding of the noise level (adaLN,
        Peebles & Xie 2023, arXiv:2212.09748).
    """

    def __init__(self, config: ModelConfig, layers: int, *, conditioned: bool = False) -> None:
        super().__init__()
        self.heads = config.heads
        self.bias = nn.Linear(config.pair_dim, layers * config.heads)
        self.layers = nn.ModuleList(_Layer(config, conditioned) for _ in range(layers))

    def forward(
        self,
        x: Float[Tensor, "L C"],
        pairs: Float[Tensor, "L K P"],
        graph: Graph,
        level: Tensor | None = None,
    ) -> Float[Tensor, "L C"]:
        """Update residue features; ``level`` (1 or L, C) embeds the noise level, if conditioned on it."""
        blocked = torch.where(graph.valid, 0.0, -1e4)[:, None]
        with autocast(x.device):
            biases = self.bias(pairs).transpose(1, 2).split(self.heads, dim=1)
            for layer, bias in zip(self.layers, biases, strict=True):
                x = layer(x, pairs, bias + blocked, graph, level)
        return x.float()
