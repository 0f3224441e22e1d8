"""Transformer layers over nearest neighbours: time and memory grow linearly with the number of residues."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig
from latcpb_cli.device import autocast
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.row_blocks import row_blocks

__all__ = ["NeighborTransformer"]

_MASKED_LOGIT = -1e4
_ROWS_PER_CPU_BLOCK = 256
"""Residues whose neighbours are gathered at once: a CPU has few of them in its cache."""
_INIT_STD = 0.02
"""Of the last matrices of each layer: a new stack is nearly the identity."""


class _NeighborAttention(nn.Module):
    """Multi-head attention in which all heads share one projection of each neighbour.

    Keys and values are the same ``key_dim`` numbers per neighbour, and the values have the pair features
    appended; heads differ in queries, pair biases and the output map. Everything of shape (L, K, ·) is then
    one gather and three batched matrix products, which suits the memory bandwidth of CPUs.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.key_value = nn.Linear(config.dim, config.key_dim)
        self.query = nn.Linear(config.dim, config.heads * config.key_dim)
        self.out = nn.Linear(config.heads * (config.key_dim + config.pair_dim), config.dim)
        self.scale = config.key_dim**-0.5
        self.dropout = nn.Dropout(0.0)

    def forward(
        self,
        x: Float[Tensor, "L C"],
        pairs: Float[Tensor, "L K E"],
        bias: Float[Tensor, "L heads K"],
        graph: Graph,
    ) -> Float[Tensor, "L C"]:
        keys, queries = self.key_value(x), self.query(x).view(len(x), self.heads, -1)
        bias, pairs = bias.to(keys.dtype), pairs.to(keys.dtype)
        updated: Tensor = keys.new_empty(x.shape)
        for rows in row_blocks(len(x), _ROWS_PER_CPU_BLOCK, x.device):
            attended = self._attend(queries[rows], graph.gather(keys, rows), pairs[rows], bias[rows])
            updated[rows] = self.out(attended.flatten(1))
        return updated

    def _attend(
        self,
        queries: Float[Tensor, "rows heads key_dim"],
        neighbors: Float[Tensor, "rows K key_dim"],
        pairs: Float[Tensor, "rows K E"],
        bias: Float[Tensor, "rows heads K"],
    ) -> Float[Tensor, "rows heads key_dim+E"]:
        """Return the mean value of the neighbours by each head."""
        logits = torch.baddbmm(bias, queries, neighbors.mT, alpha=self.scale)
        weights = self.dropout(logits.float().softmax(-1).to(neighbors.dtype))
        return torch.cat([torch.bmm(weights, neighbors), torch.bmm(weights, pairs)], dim=-1)


class _Layer(nn.Module):
    """Pre-norm attention and multilayer perceptron, each added to its input."""

    def __init__(self, config: ModelConfig, conditioned: bool) -> None:
        super().__init__()
        dim = config.dim
        self.norm_attention = nn.LayerNorm(dim)
        self.attention = _NeighborAttention(config)
        self.norm_mlp = nn.LayerNorm(dim)
        contraction = nn.Linear(2 * dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.SiLU(), contraction)
        self.dropout = nn.Dropout(0.0)
        self.modulation = nn.Linear(dim, 4 * dim) if conditioned else None
        if self.modulation is not None:
            nn.init.zeros_(self.modulation.weight)
            nn.init.zeros_(self.modulation.bias)
        nn.init.normal_(self.attention.out.weight, std=_INIT_STD)
        nn.init.normal_(contraction.weight, std=_INIT_STD)

    def forward(
        self,
        x: Float[Tensor, "L C"],
        pairs: Float[Tensor, "L K E"],
        bias: Float[Tensor, "L heads K"],
        graph: Graph,
        noise_level: Float[Tensor, "T C"] | None,
    ) -> Float[Tensor, "L C"]:
        if self.modulation is None:
            x = x + self.dropout(self.attention(self.norm_attention(x), pairs, bias, graph))
            plain: Tensor = x + self.dropout(self.mlp(self.norm_mlp(x)))
            return plain
        modulation = self.modulation(noise_level).chunk(4, dim=-1)
        attention_scale, attention_shift, mlp_scale, mlp_shift = modulation
        attention_input = self.norm_attention(x) * (1 + attention_scale) + attention_shift
        x = x + self.dropout(self.attention(attention_input, pairs, bias, graph))
        modulated: Tensor = x + self.dropout(self.mlp(self.norm_mlp(x) * (1 + mlp_scale) + mlp_shift))
        return modulated


class NeighborTransformer(nn.Module):
    """A stack of pre-norm layers over the K nearest neighbours.

    Parameters
    ----------
    config : ModelConfig
    layers : int
        Depth.
    conditioned : bool
        Whether every norm is scaled and shifted by an embedding of the noise level (adaLN,
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
        pairs: Float[Tensor, "L K E"],
        graph: Graph,
        noise_level: Float[Tensor, "T C"] | None = None,
    ) -> Float[Tensor, "L C"]:
        """Update residue features.

        Parameters
        ----------
        x
            Residue features.
        pairs
            Pair features.
        graph
            Neighbourhoods.
        noise_level
            Embedding of the noise level, one for all residues (T = 1) or one for each (T = L); only
            for a stack that is conditioned on it.
        """
        biases = self._biases(pairs, graph).chunk(len(self.layers), dim=1)
        with autocast(x.device):
            for layer, bias in zip(self.layers, biases, strict=True):
                x = layer(x, pairs, bias, graph, noise_level)
        return x.float()

    def _biases(self, pairs: Float[Tensor, "L K E"], graph: Graph) -> Float[Tensor, "L layers*heads K"]:
        """Pair biases of all heads of all layers, with neighbours last, as attention adds them fastest."""
        mask_bias = torch.where(graph.mask, 0.0, _MASKED_LOGIT)
        biases = mask_bias[:, None] + self.bias.bias[:, None]
        return biases.baddbmm_(self.bias.weight.expand(len(pairs), -1, -1), pairs.mT)

    @torch.no_grad()
    def keep_layers(self, kept: Sequence[int]) -> None:
        """Leave out all layers but those with the given numbers."""
        rows = torch.arange(self.bias.out_features).view(-1, self.heads)[list(kept)].flatten()
        weight, bias = self.bias.weight[rows], self.bias.bias[rows]
        self.bias = nn.Linear(self.bias.in_features, len(rows))
        self.bias.weight.copy_(weight)
        self.bias.bias.copy_(bias)
        self.layers = nn.ModuleList(self.layers[number] for number in kept)
