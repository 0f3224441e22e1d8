"""D: latent and condition become internal coordinates, or positions for CGVAE-like models."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.codec import N_TORSIONS, Internal, decode
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.graph import Graph

__all__ = ["Decoder"]

_MAX_TWIST = math.radians(15.0)
_MAX_BEND = math.radians(8.0)
_REACH = 8.0  # Å: scale of atom positions around their Cα (Cartesian decoder)


class Decoder(nn.Module):
    """Message passing over neighbours, pooling, and a multilayer perceptron per residue."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.latent = nn.Linear(config.latent, dim)
        self.condition = nn.Linear(dim, dim)
        self.messages = NeighborTransformer(config, 1)
        outputs = N_SLOTS * 3 if config.cartesian else 2 * N_TORSIONS + 5
        self.head = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, outputs)
        )
        self.cartesian = config.cartesian

    def forward(
        self, latent: Float[Tensor, "L D"], condition: Condition, graph: Graph
    ) -> tuple[Float[Tensor, "L 15 3"], Internal | None]:
        """Atoms (Å), and the internal coordinates they were built from (None if Cartesian)."""
        x = self.latent(2.0 * latent - 1.0) + self.condition(condition.residues)
        out = self.head(self.messages(x, condition.pairs, graph)).float()
        if self.cartesian:
            return self._positions(out, graph), None
        pairs = out[:, : 2 * N_TORSIONS].view(-1, N_TORSIONS, 2)
        torsions = pairs * torch.rsqrt((pairs * pairs).sum(-1, keepdim=True) + 1e-6)
        small = torch.tanh(out[:, 2 * N_TORSIONS :])
        internal = Internal(torsions, _MAX_TWIST * small[:, 0], _MAX_BEND * small[:, 1:])
        return decode(internal, graph.ca, graph.types, graph.linked), internal

    def _positions(self, out: Tensor, graph: Graph) -> Float[Tensor, "L 15 3"]:
        local = _REACH * torch.tanh(out.view(-1, N_SLOTS, 3) / _REACH)
        atoms = graph.ca[:, None] + torch.einsum("lsi,lij->lsj", local, graph.frames)
        return torch.cat([atoms[:, :1], graph.ca[:, None], atoms[:, 2:]], dim=1)
