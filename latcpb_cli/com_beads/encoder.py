"""From beads to Cα: a network that places the Cα of residues whose beads are centres of mass.

A residue gets the beads up to eight places before and after it, in a local frame of three consecutive beads,
with their types and kinds. From these, a multilayer perceptron predicts where Cα and O are in that frame, and
how sure it is. Rounds of refinement repeat this with the predictions for the neighbours, so that distances
along the chain fit. The answer rotates with the beads, and the handedness of the frame distinguishes mirror
images.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from latcpb_cli.com_beads.windows import BeadFrames, window_rows

__all__ = ["BeadEncoder", "Beads", "Placement"]

_REACH, _REFINEMENT_REACH = 8, 4
"""Beads to either side that are inputs, and predictions to either side that are inputs of a refinement."""
_ROUNDS = 2
_HIDDEN = 256
_POSITION_SCALE = 5.0
"""Unit of positions, Å."""
_N_TYPES = 20
_PER_BEAD = 3 + _N_TYPES + 2
_PER_PLACEMENT = 6 + 2
_INITIAL_LOG_STD = -0.5
_MIN_LOG_STD, _MAX_LOG_STD = -4.0, 2.0
"""Natural logarithm of Å."""


@dataclass(frozen=True, eq=False)
class Beads:
    """L beads, chain after chain.

    Attributes
    ----------
    positions : Tensor, shape (L, 3)
        Å.
    types : Tensor of int64, shape (L,)
        Residue indices.
    is_com : Tensor of bool, shape (L,)
        Whether a bead is the centre of mass of its residue; the others are Cα.
    segment : Tensor of int64, shape (L,)
        Number of the unbroken stretch of residues that a bead belongs to, never decreasing.
    """

    positions: Float[Tensor, "L 3"]
    types: Int[Tensor, "L"]
    is_com: Bool[Tensor, "L"]
    segment: Int[Tensor, "L"]


@dataclass(frozen=True, eq=False)
class Placement:
    """Where Cα and O of L residues are predicted.

    Attributes
    ----------
    ca, o : Tensor, shape (L, 3)
        Å. Cα of beads that are Cα are these beads.
    ca_log_std, o_log_std : Tensor, shape (L,)
        Logarithm of the standard deviation (Å) of each coordinate.
    """

    ca: Float[Tensor, "L 3"]
    o: Float[Tensor, "L 3"]
    ca_log_std: Float[Tensor, "L"]
    o_log_std: Float[Tensor, "L"]


class BeadEncoder(nn.Module):
    """Predicts Cα and O from beads, of which some or all are centres of mass."""

    def __init__(self) -> None:
        super().__init__()
        self.first = _Layers((2 * _REACH + 1) * _PER_BEAD)
        n_refined = _HIDDEN + (2 * _REFINEMENT_REACH + 1) * _PER_PLACEMENT
        self.refinements = nn.ModuleList(_Layers(n_refined) for _ in range(_ROUNDS))

    def forward(self, beads: Beads) -> list[Placement]:
        """Predict, and refine the prediction: one placement for each round, the last one the best."""
        frames = BeadFrames.from_positions(beads.positions, beads.segment)
        hidden, out = self.first(_window_features(beads, frames))
        placements = [_to_placement(out, beads, frames)]
        for layers in self.refinements:
            features = _placement_features(placements[-1], beads, frames)
            hidden, out = layers(torch.cat([hidden, features], dim=-1))
            placements.append(_to_placement(out, beads, frames))
        return placements


class _Layers(nn.Module):
    """A multilayer perceptron of three layers: its last hidden features, and eight numbers per residue."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, _HIDDEN), nn.SiLU(), nn.LayerNorm(_HIDDEN))
        self.residual = nn.Sequential(nn.Linear(_HIDDEN, _HIDDEN), nn.SiLU())
        self.head = nn.Linear(_HIDDEN, 8)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(
        self, features: Float[Tensor, "L features"]
    ) -> tuple[Float[Tensor, "L hidden"], Float[Tensor, "L 8"]]:
        inner = self.inner(features)
        hidden = inner + self.residual(inner)
        return hidden, self.head(hidden)


def _window_features(beads: Beads, frames: BeadFrames) -> Float[Tensor, "L features"]:
    """Position, type and kind of the beads around each bead; zeros beyond the ends of its segment."""
    rows, inside = window_rows(beads.segment, _REACH)
    local = frames.to_local(beads.positions[rows]) / _POSITION_SCALE
    types = nn.functional.one_hot(beads.types, _N_TYPES).to(local.dtype)[rows]
    flags = torch.stack([beads.is_com[rows], torch.ones_like(inside)], dim=-1).to(local.dtype)
    return (torch.cat([local, types, flags], dim=-1) * inside[..., None]).flatten(1)


def _placement_features(
    placement: Placement, beads: Beads, frames: BeadFrames
) -> Float[Tensor, "L features"]:
    """What is predicted of the residues around each residue, in its frame."""
    rows, inside = window_rows(beads.segment, _REFINEMENT_REACH)
    ca, o = (frames.to_local(points[rows]) / _POSITION_SCALE for points in (placement.ca, placement.o))
    log_std = torch.stack([placement.ca_log_std, placement.o_log_std], dim=-1)[rows]
    return (torch.cat([ca, o, log_std], dim=-1) * inside[..., None]).flatten(1)


def _to_placement(out: Float[Tensor, "L 8"], beads: Beads, frames: BeadFrames) -> Placement:
    """Turn the output of a round into positions; beads that are Cα stay where they are."""
    ca, o = (
        beads.positions + frames.to_global(_POSITION_SCALE * out[:, columns])
        for columns in (slice(0, 3), slice(3, 6))
    )
    ca = torch.where(beads.is_com[:, None], ca, beads.positions)
    log_std = (out[:, 6:] + _INITIAL_LOG_STD).clamp(_MIN_LOG_STD, _MAX_LOG_STD)
    ca_log_std = torch.where(beads.is_com, log_std[:, 0], _MIN_LOG_STD)
    return Placement(ca, o, ca_log_std, log_std[:, 1])
