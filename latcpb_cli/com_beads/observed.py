"""Beads at centres of atoms as observations of the structures that are built."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.side_chain_centers import center_distances, has_rigid_center
from latcpb_cli.choices import SideChainCenter
from latcpb_cli.com_beads.definition import bead_weights
from latcpb_cli.structure import CGTrace

__all__ = ["ObservedBeads"]

_COM_STD, _SIDE_CHAIN_STD = 0.1, 0.15
"""Error (Å) of each coordinate of an exact bead of a residue whose chi angles are right, from its backbone.

Chosen by ``benchmarks/beads.py DATA --set heldout``, with and without noise on the beads."""
_PRIOR_NOISE, _PRIOR_COUNT = 0.05, 4
"""Noise (Å) of side-chain beads where nothing is known of it, and how many residues that counts for."""


@dataclass(frozen=True, eq=False)
class ObservedBeads:
    """Beads that L residues should have.

    Attributes
    ----------
    positions : Tensor, shape (L, 3)
        Å; nan for residues of which no bead is known.
    weights : Tensor, shape (L, 15)
        Share of each slot of a residue in its bead.
    std : Tensor, shape (L,)
        Error (Å) of each coordinate of a bead, if all chi angles are right.
    """

    positions: Float[Tensor, "L 3"]
    weights: Float[Tensor, "L 15"]
    std: Float[Tensor, "L"]

    @classmethod
    def from_trace(
        cls,
        trace: CGTrace,
        positions: Float[np.ndarray, "F L 3"],
        ca: Float[np.ndarray, "F L 3"],
        noise: Float[np.ndarray, "F"] | None = None,
    ) -> ObservedBeads:
        """Make the beads of F frames of a trace (Å), one frame after the other, from beads and Cα.

        ``noise`` is that of centres of mass (Å per axis), in each frame.
        """
        points = torch.from_numpy(positions).flatten(0, 1)
        weights = torch.from_numpy(bead_weights(trace)).to(points).repeat(len(positions), 1)
        if trace.side_chain_center is None:
            noise = np.zeros(len(positions)) if noise is None else noise
            std = np.sqrt(_COM_STD**2 + noise**2)
        else:
            std = np.sqrt(_SIDE_CHAIN_STD**2 + _noise(trace, trace.side_chain_center, positions - ca) ** 2)
        return cls(points, weights, torch.from_numpy(std).to(points).repeat_interleave(len(trace)))

    def to(self, device: torch.device | str) -> ObservedBeads:
        """Return the beads on a device."""
        return ObservedBeads(*(value.to(device) for value in vars(self).values()))

    def select(self, rows: Int[Tensor, "N"] | slice) -> ObservedBeads:
        """Return the beads of some residues."""
        return ObservedBeads(*(value[rows] for value in vars(self).values()))

    @classmethod
    def concatenate(cls, parts: list[ObservedBeads]) -> ObservedBeads:
        """Join the beads of several batches of residues."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(torch.cat(values) for values in columns))


def _noise(
    trace: CGTrace, center: SideChainCenter, arms: Float[np.ndarray, "F L 3"]
) -> Float[np.ndarray, "F"]:
    """Estimate the noise (Å) of the side-chain beads of each frame, from vectors Cα to bead (Å).

    In many residue types, the centre of the side chain has nearly the same distance from the Cα in all
    rotamers. Noise, or another definition of the beads, changes that distance.
    """
    types = trace.residue_types
    step = arms.astype(np.float64)
    deviation = np.sqrt((step * step).sum(-1)) - center_distances(center)[types]
    known = np.isfinite(deviation) & has_rigid_center()[types]
    total = np.where(known, deviation**2, 0.0).sum(axis=1) + _PRIOR_COUNT * _PRIOR_NOISE**2
    return np.asarray(np.sqrt(total / (known.sum(axis=1) + _PRIOR_COUNT)))
