"""The Cα graph: nearest neighbours and what each pair sees of the other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.geometry.frames import residue_frames
from latcpb_cli.geometry.neighbors import nearest_neighbors

__all__ = ["PAIR_FEATURES", "Graph", "build_graph"]

_RADIAL = 16
_MAX_SEPARATION = 8
PAIR_FEATURES = 3 + 3 + 9 + _RADIAL + 2 * _MAX_SEPARATION + 2


@dataclass(frozen=True, eq=False)
class Graph:
    """Neighbourhoods of L residues (all structures of a batch in a row).

    Attributes
    ----------
    types : residue types, (L,)
    ca : Cα positions in Å, (L, 3)
    linked : a peptide joins i to i+1, (L,)
    frames : local frames, rows are axes, (L, 3, 3)
    index, valid : neighbours and whether they exist, (L, K)
    vectors : Cα i to Cα j in Å, (L, K, 3)
    pairs : rotation-invariant pair features, (L, K, PAIR_FEATURES)
    """

    types: Int[Tensor, "L"]
    ca: Float[Tensor, "L 3"]
    linked: Bool[Tensor, "L"]
    frames: Float[Tensor, "L 3 3"]
    index: Int[Tensor, "L K"]
    valid: Bool[Tensor, "L K"]
    vectors: Float[Tensor, "L K 3"]
    pairs: Float[Tensor, "L K P"]

    def gather(self, values: Float[Tensor, "L C"]) -> Float[Tensor, "L K C"]:
        """Each residue's neighbours' rows of ``values``."""
        return torch.nn.functional.embedding(self.index, values)


def build_graph(
    ca: Float[Tensor, "L 3"],
    types: Int[Tensor, "L"],
    linked: Bool[Tensor, "L"],
    sizes: list[int],
    *,
    neighbors: int,
    cutoff: float,
) -> Graph:
    """Connect every residue to its nearest Cα within ``cutoff`` (Å).

    ``sizes`` are the residues per structure. Features are invariant under
    rotation and change under reflection: they hold components in right-handed
    frames.
    """
    index, valid = nearest_neighbors(ca, sizes, neighbors, cutoff)
    frames = residue_frames(ca, linked)
    vectors = torch.where(valid[..., None], ca[index] - ca[:, None], 0.0)
    distance = vectors.norm(dim=-1)
    direction = vectors / distance.clamp(min=1e-3)[..., None]
    theirs = frames[index]
    seen = torch.einsum("lij,lkj->lki", frames, direction)
    back = torch.einsum("lkij,lkj->lki", theirs, -direction)
    turn = torch.einsum("lij,lkmj->lkim", frames, theirs).flatten(-2)
    centers = torch.linspace(2.0, 20.0, _RADIAL, device=ca.device)
    radial = torch.exp(-(((distance[..., None] - centers) / 1.5) ** 2))
    pairs = torch.cat([seen, back, turn, radial, _separation(index, linked)], dim=-1)
    return Graph(types, ca, linked, frames, index, valid, vectors, pairs)


def _separation(index: Int[Tensor, "L K"], linked: Bool[Tensor, "L"]) -> Float[Tensor, "L K S"]:
    """One-hot distance along the chain: -8..-1, 1..8, further away, or across a break."""
    pieces = torch.cat([linked.new_zeros(1), ~linked[:-1]]).cumsum(0)
    offset = index - torch.arange(len(index), device=index.device)[:, None]
    same = pieces[index] == pieces[:, None]
    near = offset.abs() <= _MAX_SEPARATION
    slot = torch.where(offset < 0, offset + _MAX_SEPARATION, offset + _MAX_SEPARATION - 1)
    slot = torch.where(near, slot, 2 * _MAX_SEPARATION)
    slot = torch.where(same, slot, 2 * _MAX_SEPARATION + 1)
    return torch.nn.functional.one_hot(slot.clamp(min=0), 2 * _MAX_SEPARATION + 2).float()
