"""E: all atoms and the Cα trace become a latent per residue (training only)."""

from __future__ import annotations

import torch
from e3nn import o3
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.links import linked_before
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.equivariant import Density, NodeProduct, harmonics
from latcpb_cli.model.graph import PAIR_FEATURES, Graph

__all__ = ["AtomEncoder"]

_AXES = 7  # Cα directions i-2, i-1, i+1, i+2 and the three axes of the local frame
_NEAR_RESIDUES = 8


class AtomEncoder(nn.Module):
    """Messages on three levels: atoms of a residue, atoms around it, residues around it.

    The residue's own atoms are type-1 features; their tensor product with the
    directions of the Cα trace gives invariants that fix every atom. Atoms of
    the nearest residues within ``atom_cutoff`` enter as a density. A
    transformer over neighbouring residues follows, and a sigmoid keeps the
    latent between zero and one (text before eq. 9).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim, channels = config.dim, config.channels
        self.atom_weights = nn.Parameter(torch.randn(20, N_SLOTS, 24) * 0.3)
        self.product = o3.FullyConnectedTensorProduct("24x1e", f"{_AXES}x1e", "192x0e")
        self.atom_scalars = nn.Parameter(torch.randn(20, N_SLOTS, channels) * 0.3)
        self.density = Density(channels, config.atom_cutoff)
        self.neighborhood_product = NodeProduct(channels, 32)
        self.residue_embedding = nn.Embedding(20, dim)
        self.invariant_embedding = nn.Sequential(nn.Linear(192 + 32, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, dim))
        self.pair_embedding = nn.Linear(PAIR_FEATURES, config.pair_dim)
        self.transformer = NeighborTransformer(config, config.atom_layers)
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * config.latent))

    def forward(
        self, atoms: Float[Tensor, "L 15 3"], present: Bool[Tensor, "L 15"], graph: Graph
    ) -> tuple[Float[Tensor, "L D"], Float[Tensor, "L D"]]:
        """Mean (in (0, 1)) and log standard deviation of the posterior of the latent."""
        relative = torch.where(present[..., None], atoms - graph.ca[:, None], 0.0)
        mixed = torch.einsum("lsc,lsx->lcx", self.atom_weights[graph.types], relative)
        invariants = self.product(mixed.flatten(1), self._axes(graph).flatten(1))
        around, _ = self.neighborhood_product(self._surrounding_density(atoms, present, graph))
        x = self.residue_embedding(graph.types) + self.invariant_embedding(torch.cat([invariants, around], dim=-1))
        x = self.transformer(x, self.pair_embedding(graph.pairs), graph)
        mean, log_std = self.head(x).float().chunk(2, dim=-1)
        return torch.sigmoid(mean), (log_std - 2.5).clamp(-4.5, -0.7)

    def _axes(self, graph: Graph) -> Float[Tensor, "L 7 3"]:
        ahead = graph.linked[:, None]
        behind = linked_before(graph.linked)[:, None]
        up = torch.where(ahead, graph.ca.roll(-1, 0) - graph.ca, 0.0) / 3.8
        down = torch.where(behind, graph.ca.roll(1, 0) - graph.ca, 0.0) / 3.8
        further_up = torch.where(ahead, up + up.roll(-1, 0), 0.0)
        further_down = torch.where(behind, down + down.roll(1, 0), 0.0)
        return torch.cat([torch.stack([down, up, further_down, further_up], dim=1), graph.frames], dim=1)

    def _surrounding_density(self, atoms: Tensor, present: Tensor, graph: Graph) -> Float[Tensor, "L F"]:
        near = graph.index[:, :_NEAR_RESIDUES]
        there = present[near] & graph.valid[:, :_NEAR_RESIDUES, None]
        vectors = torch.where(there[..., None], atoms[near] - graph.ca[:, None, None], 0.0).flatten(1, 2)
        scalars = self.atom_scalars[graph.types[near]].flatten(1, 2)
        valid = there.flatten(1) & (vectors.norm(dim=-1) < self.density.cutoff)
        return self.density(vectors, scalars, valid, harmonics(vectors))
