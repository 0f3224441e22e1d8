"""Restraints that hold centres of atoms near the beads of the input."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.com_beads.observed import ObservedBeads

__all__ = ["BeadRestraints"]

# Chosen on chains held out of training with `benchmarks/beads.py DATA --kinds ca+sc`, with noise up to 0.3 Å.
_STIFFNESS, _STD = 2.0, 0.15
"""Of beads up to that standard deviation (Å); beyond, it falls with the square of the variance."""
_MAX_PULL = 0.5
"""Å; a bead that is farther away pulls no harder."""


@dataclass(frozen=True, eq=False)
class BeadRestraints:
    """Energy of half the stiffness times the squared distance of each bead from its place, Å².

    Attributes
    ----------
    target : Tensor, shape (3, L)
        Å; zeros where no bead is known.
    weights : Tensor, shape (15, L)
        Share of each atom in the bead; zeros where no bead is known.
    stiffness : Tensor, shape (L,)
    """

    target: Float[Tensor, "3 L"]
    weights: Float[Tensor, "15 L"]
    stiffness: Float[Tensor, "L"]

    @classmethod
    def from_beads(cls, beads: ObservedBeads) -> BeadRestraints:
        """Make the restraints of all beads that are known."""
        known = ~beads.positions.isnan().any(-1, keepdim=True)
        return cls(
            torch.where(known, beads.positions, 0.0).T.contiguous(),
            torch.where(known, beads.weights, 0.0).T.contiguous(),
            _STIFFNESS * (_STD / beads.std).clamp(max=1.0) ** 4,
        )

    def add_gradient(
        self,
        atoms: Float[Tensor, "3 15 L"],
        gradient: Float[Tensor, "3 15 L"],
        stiffness: Float[Tensor, "15 L"],
    ) -> None:
        """Add gradient (per Å) and stiffness (per Å²) in place."""
        total = self.weights.sum(0)
        step = (atoms * self.weights).sum(1) - total * self.target
        length = torch.sqrt((step * step).sum(0)).clamp(min=1e-6)
        pull = self.stiffness * step * (_MAX_PULL / length).clamp(max=1.0)
        gradient += pull[:, None] * self.weights
        # The centre of several atoms moves less than they do, so that this is an upper bound.
        stiffness += self.stiffness * self.weights
