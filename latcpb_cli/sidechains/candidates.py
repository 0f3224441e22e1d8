"""Candidate conformations of side chains, built on their backbones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import GAMMA_SLOT, OXT_SLOT, slot_mask
from latcpb_cli.config import ModelConfig
from latcpb_cli.device import table_on
from latcpb_cli.geometry.codec import place_side_chains
from latcpb_cli.model.decoder import Decoded

__all__ = ["MAX_CANDIDATES", "SIDE_CHAIN_SLOTS", "Candidates", "build_candidates"]

MAX_CANDIDATES = ModelConfig.max_candidates
"""M, the largest number of candidates of a residue. Sixteen are not better on held-out chains."""
SIDE_CHAIN_SLOTS = slice(GAMMA_SLOT, OXT_SLOT)
"""Slots of the atoms that chi angles move."""
_MIN_LOG_PROB = math.log(0.002)
"""Rotamers less probable than 0.2 % are no candidates, unless a residue has no other.

With a limit of 1 %, side chains of held-out chains are 0.02 Å less accurate; with 0.1 % they are the same.
"""
_IMPOSSIBLE_LOGIT = -1e4


@dataclass(frozen=True, eq=False)
class Candidates:
    """N conformations of the side chains of L residues, residue by residue, most probable first.

    Attributes
    ----------
    index : Tensor of int64, shape (N,)
        Residue times `MAX_CANDIDATES`, plus the rank among the residue's candidates; ascending.
    rotamer : Tensor of int64, shape (N,)
        Index of the rotamer, below 81.
    log_prob : Tensor, shape (N,)
        Log probability of the decoder, not normalised over the candidates.
    chi : Tensor, shape (N, 4)
        Chi angles, rad.
    atoms : Tensor, shape (N, 9, 3)
        Positions of slots 5 to 13, Å.
    mask : Tensor of bool, shape (N, 9)
        Which of these slots the residue type has.
    """

    index: Int[Tensor, "N"]
    rotamer: Int[Tensor, "N"]
    log_prob: Float[Tensor, "N"]
    chi: Float[Tensor, "N 4"]
    atoms: Float[Tensor, "N 9 3"]
    mask: Bool[Tensor, "N 9"]

    @property
    def residue(self) -> Int[Tensor, "N"]:
        """Residue of each candidate."""
        return torch.div(self.index, MAX_CANDIDATES, rounding_mode="floor")

    def to_table(self, logits: Float[Tensor, "N"], n_residues: int) -> Float[Tensor, "L M"]:
        """Arrange logits of the candidates by residue and rank; -1e4 where there is no candidate."""
        table = logits.new_full((n_residues * MAX_CANDIDATES,), _IMPOSSIBLE_LOGIT)
        return table.index_copy(0, self.index, logits).view(-1, MAX_CANDIDATES)

    def select(self, rows: slice | Int[Tensor, "rows"]) -> Candidates:
        """Return some of the candidates."""
        if isinstance(rows, slice):
            return Candidates(*(value[rows] for value in vars(self).values()))
        return Candidates(*(value.index_select(0, rows) for value in vars(self).values()))


def build_candidates(
    decoded: Decoded,
    types: Int[Tensor, "L"],
    chi_offset: Float[Tensor, "L 4"] | None = None,
    limit: int = MAX_CANDIDATES,
) -> Candidates:
    """Build the rotamers that have 0.2 % or more in the decoder, and at least one per residue.

    Parameters
    ----------
    decoded
        Backbones and rotamers.
    types
        Residue types.
    chi_offset
        Added to the chi angles of all candidates of a residue, rad.
    limit
        Largest number of candidates of a residue.

    Raises
    ------
    ValueError
        The decoder predicted positions, and no rotamers.
    """
    if decoded.internal is None or decoded.rotamers is None:
        raise ValueError("a decoder of positions has no rotamers")
    top = decoded.rotamers.logits.log_softmax(-1).topk(limit, dim=-1)
    kept = top.values >= _MIN_LOG_PROB
    kept[:, 0] = True
    residue, rank = torch.nonzero(kept).unbind(1)
    rotamer = top.indices[residue, rank]
    chi = decoded.rotamers.chi[residue, rotamer]
    chi = chi if chi_offset is None else chi + chi_offset[residue]
    candidate_types = types[residue]
    internal = decoded.internal.select(residue).with_chi(chi)
    backbones = list(decoded.atoms[residue, :GAMMA_SLOT].unbind(1))
    slots = place_side_chains(backbones, internal, candidate_types)
    atoms = torch.stack(slots[GAMMA_SLOT:], dim=1)
    mask = table_on(types.device, slot_mask)[:, SIDE_CHAIN_SLOTS][candidate_types]
    index = residue * MAX_CANDIDATES + rank
    return Candidates(index, rotamer, top.values[residue, rank], chi, atoms, mask)
