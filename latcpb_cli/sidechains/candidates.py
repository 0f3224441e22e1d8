"""Conformations that side chains could take, built on their backbones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import GAMMA_SLOT, slot_mask
from latcpb_cli.geometry.codec import place_side_chains
from latcpb_cli.model.decoder import Decoded

__all__ = ["MOST", "SIDE", "Candidates", "build_candidates"]

MOST = 10
"""Candidates per residue at most."""
SIDE = slice(GAMMA_SLOT, 14)
_LEAST = math.log(0.01)
_NEVER = -1e4


@dataclass(frozen=True, eq=False)
class Candidates:
    """R conformations of the side chains of L residues, residue by residue, most probable first.

    Attributes
    ----------
    place : (R,)
        Residue times `MOST`, plus the rank among the residue's candidates.
    state : (R,)
        Rotameric state.
    log_probability : (R,)
        The decoder's, not normalised over the candidates.
    chi : (R, 4)
        Chi angles, rad.
    atoms : (R, 9, 3)
        Slots 5 to 13, Å.
    there : (R, 9)
        Which of these slots the residue type has.
    """

    place: Int[Tensor, "R"]
    state: Int[Tensor, "R"]
    log_probability: Float[Tensor, "R"]
    chi: Float[Tensor, "R 4"]
    atoms: Float[Tensor, "R 9 3"]
    there: Bool[Tensor, "R 9"]

    @property
    def residue(self) -> Int[Tensor, "R"]:
        """Residue of each candidate."""
        return torch.div(self.place, MOST, rounding_mode="floor")

    def grid(self, values: Float[Tensor, "R"], residues: int) -> Float[Tensor, "L M"]:
        """Log probabilities by residue and rank; next to none where there is no candidate."""
        flat = values.new_full((residues * MOST,), _NEVER)
        return flat.index_copy(0, self.place, values).view(-1, MOST)

    def of(self, rows: Int[Tensor, "J"]) -> Candidates:
        """Some of them."""
        return Candidates(*(value.index_select(0, rows) for value in vars(self).values()))


def build_candidates(
    decoded: Decoded, types: Int[Tensor, "L"], turn: Float[Tensor, "L 4"] | None = None
) -> Candidates:
    """Build the states that the decoder gives one per cent or more, at least one per residue.

    ``turn`` (rad) is added to the chi angles of all of a residue's candidates.
    """
    if decoded.internal is None or decoded.rotamers is None:
        raise RuntimeError("a decoder of positions has no rotameric states")
    top = decoded.rotamers.logits.log_softmax(-1).topk(MOST, dim=-1)
    kept = top.values >= _LEAST
    kept[:, 0] = True
    residue, rank = torch.nonzero(kept).unbind(1)
    state = top.indices[residue, rank]
    chi = decoded.rotamers.chi[residue, state]
    chi = chi if turn is None else chi + turn[residue]
    kinds = types[residue]
    internal = decoded.internal.select(residue).with_chi(chi)
    slots = place_side_chains(list(decoded.atoms[residue, :GAMMA_SLOT].unbind(1)), internal, kinds)
    there = torch.from_numpy(slot_mask())[:, SIDE].to(types.device)[kinds]
    atoms = torch.stack(slots[GAMMA_SLOT:], dim=1)
    return Candidates(residue * MOST + rank, state, top.values[residue, rank], chi, atoms, there)
