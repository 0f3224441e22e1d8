"""The all-atom encoder E: all atoms and the Cα trace to a latent per residue (training only)."""

from __future__ import annotations

import torch
from e3nn import o3
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.config import ModelConfig
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.equivariant import (
    NeighborDensity,
    NodeProduct,
    Surroundings,
    uncompiled_products,
)
from latcpb_cli.model.graph import N_PAIR_FEATURES, Graph

__all__ = ["AtomEncoder"]

_N_VECTORS = 7
"""Directions to Cα i-2, i-1, i+1 and i+2, and the three axes of the local frame."""
_N_ATOM_VECTORS = 24
_N_OWN_INVARIANTS, _N_NEIGHBOR_INVARIANTS = 192, 32
_N_NEAREST = 8
"""Neighbouring residues whose atoms enter the density."""
_CA_CA = 3.8
"""Å between the Cα of a trans peptide: the unit of directions along the trace."""
_LOG_STD_OFFSET, _MIN_LOG_STD, _MAX_LOG_STD = -2.5, -4.5, -0.7
"""Standard deviations of the posterior are 0.011 to 0.5, and 0.08 where the network returns zero."""


class AtomEncoder(nn.Module):
    """Message passing on three levels: atoms of a residue, atoms around it, residues around it.

    The residue's own atoms are vector features (l = 1); their tensor product with the directions of the Cα
    trace gives invariants that determine every atom. Atoms of the nearest residues within ``atom_cutoff``
    enter as a density. A transformer over neighbouring residues follows, and a sigmoid keeps the latent in
    (0, 1), as the paper does before eq. 9.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim, channels = config.dim, config.channels
        self.atom_weights = nn.Parameter(torch.randn(20, N_SLOTS, _N_ATOM_VECTORS) * 0.3)
        with uncompiled_products():
            self.product = o3.FullyConnectedTensorProduct(
                f"{_N_ATOM_VECTORS}x1e", f"{_N_VECTORS}x1e", f"{_N_OWN_INVARIANTS}x0e"
            )
        self.atom_scalars = nn.Parameter(torch.randn(20, N_SLOTS, channels) * 0.3)
        self.cutoff = config.atom_cutoff
        self.density = NeighborDensity(channels)
        self.neighborhood_product = NodeProduct(channels, _N_NEIGHBOR_INVARIANTS)
        self.residue_embedding = nn.Embedding(20, dim)
        self.invariant_embedding = nn.Sequential(
            nn.Linear(_N_OWN_INVARIANTS + _N_NEIGHBOR_INVARIANTS, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, dim)
        )
        self.pair_embedding = nn.Linear(N_PAIR_FEATURES, config.pair_dim)
        self.transformer = NeighborTransformer(config, config.atom_layers)
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * config.latent))

    def forward(
        self, atoms: Float[Tensor, "L 15 3"], present: Bool[Tensor, "L 15"], graph: Graph
    ) -> tuple[Float[Tensor, "L D"], Float[Tensor, "L D"]]:
        """Return mean (in (0, 1)) and log standard deviation of the posterior of the latent.

        Parameters
        ----------
        atoms
            Positions, Å.
        present
            Which of the atoms exist.
        graph
            The graph of their Cα.
        """
        relative = torch.where(present[..., None], atoms - graph.ca[:, None], 0.0)
        vectors = torch.einsum("lsc,lsx->lcx", self.atom_weights[graph.types], relative)
        own = self.product(vectors.flatten(1), _trace_directions(graph).flatten(1))
        density = self._surrounding_density(atoms, present, graph)
        surrounding, _ = self.neighborhood_product(density, update=False)
        x = self.residue_embedding(graph.types)
        x = x + self.invariant_embedding(torch.cat([own, surrounding], dim=-1))
        x = self.transformer(x, self.pair_embedding(graph.pair_features()), graph)
        mean, log_std = self.head(x).float().chunk(2, dim=-1)
        return torch.sigmoid(mean), (log_std + _LOG_STD_OFFSET).clamp(_MIN_LOG_STD, _MAX_LOG_STD)

    def _surrounding_density(
        self, atoms: Float[Tensor, "L 15 3"], present: Bool[Tensor, "L 15"], graph: Graph
    ) -> Float[Tensor, "L features"]:
        """Density of the atoms of the nearest residues around each Cα."""
        nearest = graph.index[:, :_N_NEAREST]
        exists = present[nearest] & graph.mask[:, :_N_NEAREST, None]
        vectors = torch.where(exists[..., None], atoms[nearest] - graph.ca[:, None, None], 0.0).flatten(1, 2)
        scalars = self.atom_scalars[graph.types[nearest]].flatten(1, 2)
        density: Tensor = self.density(Surroundings.expand(vectors, exists.flatten(1), self.cutoff), scalars)
        return density


def _trace_directions(graph: Graph) -> Float[Tensor, "L 7 3"]:
    """Vectors to the Cα up to two peptides away, in units of a Cα-Cα distance, and the axes of the frame."""
    has_next = graph.linked[:, None]
    has_previous = graph.order.linked_before(graph.linked)[:, None]
    to_next = torch.where(has_next, graph.order.next(graph.ca) - graph.ca, 0.0) / _CA_CA
    to_previous = torch.where(has_previous, graph.order.previous(graph.ca) - graph.ca, 0.0) / _CA_CA
    second_next = torch.where(has_next, to_next + graph.order.next(to_next), 0.0)
    second_previous = torch.where(has_previous, to_previous + graph.order.previous(to_previous), 0.0)
    along_chain = torch.stack([to_previous, to_next, second_previous, second_next], dim=1)
    return torch.cat([along_chain, graph.frames], dim=1)
