"""Encoders of peptide rotations: one that starts from the trace, and one that starts from the CG encoder."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.cg_encoder import CGEncoder, Condition, ExtraFeatures, TraceEncoder
from latcpb_cli.model.graph import Graph

__all__ = ["OwnEncoder", "SharedEncoder"]


class OwnEncoder(TraceEncoder):
    """A `TraceEncoder` with additional features, which can start from the weights of the CG encoder.

    Parameters
    ----------
    config : ModelConfig
    n_pair_features : int
        Additional features of each pair.
    """

    def __init__(self, config: ModelConfig, n_pair_features: int) -> None:
        super().__init__(config, config.peptide_layers, n_pair_features)

    def forward(self, condition: Condition, graph: Graph, extra: ExtraFeatures) -> Float[Tensor, "L C"]:
        """Encode every residue; the condition does not count."""
        return self.encode(graph, extra)[0]

    def init_from(self, encoder: CGEncoder) -> None:
        """Copy the weights of a trained CG encoder.

        Weights of inputs that it lacks become zero; layers that it lacks remain nearly the identity.
        """
        trained = encoder.state_dict()
        for name, target in self.state_dict().items():
            if name in trained:
                shared = tuple(map(slice, map(min, zip(trained[name].shape, target.shape, strict=True))))
                target.zero_()
                target[shared] = trained[name][shared]


class SharedEncoder(nn.Module):
    """Transformer layers over the features of the CG encoder; before training, nearly the identity.

    Its parameters are those of `OwnEncoder`.
    """

    def __init__(self, config: ModelConfig, n_pair_features: int) -> None:
        super().__init__()
        self.pair_projection = nn.Linear(n_pair_features, config.pair_dim)
        nn.init.zeros_(self.pair_projection.weight)
        nn.init.zeros_(self.pair_projection.bias)
        self.transformer = NeighborTransformer(config, config.peptide_layers)
        self.norm = nn.LayerNorm(config.dim)

    def forward(self, condition: Condition, graph: Graph, extra: ExtraFeatures) -> Float[Tensor, "L C"]:
        """Encode every residue from its condition and the additional features."""
        pairs = condition.pairs + self.pair_projection(extra.pairs(slice(None)))
        residues: Tensor = self.norm(self.transformer(condition.residues + extra.residues, pairs, graph))
        return residues

    def init_from(self, encoder: CGEncoder) -> None:
        """Do nothing: the features of the CG encoder are the input."""
