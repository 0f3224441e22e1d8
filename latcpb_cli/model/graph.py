"""The Cα graph: nearest neighbours of every residue, and rotation-invariant features of each pair."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.frames import residue_frames
from latcpb_cli.geometry.links import LINEAR, ChainOrder
from latcpb_cli.geometry.neighbors import nearest_neighbors
from latcpb_cli.model.equivariant import Surroundings
from latcpb_cli.model.radial import GaussianBasis

__all__ = ["N_PAIR_FEATURES", "Graph", "build_graph"]

_BASIS = GaussianBasis(first=2.0, last=20.0, width=1.5, count=16)
_MAX_SEPARATION = 8
_N_SEPARATIONS = 2 * _MAX_SEPARATION + 2
N_PAIR_FEATURES = 3 + 3 + 9 + _BASIS.count + _N_SEPARATIONS
"""Two directions, the relative orientation, the distance and the separation in sequence."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Neighbourhoods of L residues: all structures of a batch, one after another.

    Attributes
    ----------
    types : Tensor of int64, shape (L,)
        Residue types.
    ca : Tensor, shape (L, 3)
        Cα positions, Å.
    linked : Tensor of bool, shape (L,)
        Whether a peptide joins each residue to the next.
    frames : Tensor, shape (L, 3, 3)
        Local frames of the residues; rows are axes.
    index : Tensor of int64, shape (L, K)
        Residues of the neighbours, nearest first; the residue itself where there is none.
    mask : Tensor of bool, shape (L, K)
        Whether there is such a neighbour.
    surroundings : Surroundings
        The Cα of the neighbours, expanded in functions of distance and direction.
    separation : Tensor of int8, shape (L, K)
        Distance in sequence of each neighbour: -8 to -1 (categories 0 to 7), 1 to 8 (8 to 15), further (16),
        or not joined by peptides (17).
    order : ChainOrder
        Which residue follows which.
    """

    types: Int[Tensor, "L"]
    ca: Float[Tensor, "L 3"]
    linked: Bool[Tensor, "L"]
    frames: Float[Tensor, "L 3 3"]
    index: Int[Tensor, "L K"]
    mask: Bool[Tensor, "L K"]
    surroundings: Surroundings
    separation: Int[Tensor, "L K"]
    order: ChainOrder = LINEAR

    def pair_features(self, rows: slice = slice(None)) -> Float[Tensor, "rows K 49"]:
        """Return features of the pairs of some residues with their neighbours.

        They are invariant under rotation and change under reflection, because they are components in
        right-handed frames. They are computed anew for each of the few networks that embed them: kept, they
        would be a tenth of all memory.
        """
        index, frames = self.index[rows], self.frames[rows]
        vectors = self.gather(self.ca, rows) - self.ca[rows, None]
        vectors = torch.where(self.mask[rows, :, None], vectors, 0.0)
        distance = vectors.norm(dim=-1)
        direction = vectors / distance.clamp(min=1e-3)[..., None]
        neighbor_frames = self.gather(self.frames.flatten(1), rows).view(*index.shape, 3, 3)
        outward = torch.einsum("lij,lkj->lki", frames, direction)
        inward = torch.einsum("lkij,lkj->lki", neighbor_frames, -direction)
        orientation = torch.einsum("lij,lkmj->lkim", frames, neighbor_frames).flatten(-2)
        separation = self.separation[rows, :, None] == torch.arange(_N_SEPARATIONS, device=index.device)
        return torch.cat([outward, inward, orientation, _BASIS(distance), separation.to(vectors)], dim=-1)

    def gather(
        self, values: Float[Tensor, "L width"], residues: slice = slice(None)
    ) -> Float[Tensor, "rows K width"]:
        """Return the rows of ``values`` that belong to the neighbours of each residue, or of some of them."""
        return torch.nn.functional.embedding(self.index[residues], values)


def build_graph(
    ca: Float[Tensor, "L 3"],
    types: Int[Tensor, "L"],
    linked: Bool[Tensor, "L"],
    sizes: list[int],
    config: ModelConfig,
    order: ChainOrder = LINEAR,
) -> Graph:
    """Connect every residue to its nearest Cα.

    Parameters
    ----------
    ca, types, linked, order
        See `Graph`.
    sizes
        Number of residues of each structure; residues of different structures are not connected.
    config
        With the largest number of neighbours, and their largest distance (Å).
    """
    index, mask = nearest_neighbors(ca, sizes, config.neighbors, config.cutoff)
    frames = residue_frames(ca, linked, order)
    vectors = torch.where(mask[..., None], ca[index] - ca[:, None], 0.0)
    surroundings = Surroundings.expand(vectors, mask, config.cutoff)
    separation = _separation(index, linked, order)
    return Graph(types, ca, linked, frames, index, mask, surroundings, separation, order)


def _separation(
    index: Int[Tensor, "L K"], linked: Bool[Tensor, "L"], order: ChainOrder
) -> Int[Tensor, "L K"]:
    """Category of the distance in sequence of each neighbour (`Graph.separation`)."""
    segment = torch.cat([linked.new_zeros(1), ~order.to_next_row(linked)[:-1]]).cumsum(0)
    offset = index - torch.arange(len(index), device=index.device)[:, None]
    for first, last in order.seams(linked):
        segment, offset = _close_ring(segment, offset, index, first, last)
    same_segment = segment[index] == segment[:, None]
    near = offset.abs() <= _MAX_SEPARATION
    category = torch.where(offset < 0, offset + _MAX_SEPARATION, offset + _MAX_SEPARATION - 1)
    category = torch.where(near, category, 2 * _MAX_SEPARATION)
    category = torch.where(same_segment, category, 2 * _MAX_SEPARATION + 1)
    return category.clamp(min=0).to(torch.int8)


def _close_ring(
    segment: Int[Tensor, "L"], offset: Int[Tensor, "L K"], index: Int[Tensor, "L K"], first: int, last: int
) -> tuple[Int[Tensor, "L"], Int[Tensor, "L K"]]:
    """Segments and offsets once a peptide joins the last residue of a ring to its first."""
    size, tail = last + 1 - first, segment == segment[last]
    if segment[first] != segment[last]:
        # The stretch after the last break of the ring comes before its first residue.
        offset = offset - size * tail[index].long() + size * tail[:, None].long()
        return torch.where(tail, segment[first], segment), offset
    longest = (size - 1) // 2
    shorter = (offset + longest) % size - longest
    return segment, torch.where(tail[index] & tail[:, None], shorter, offset)
