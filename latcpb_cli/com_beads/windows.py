"""The beads around each bead in its chain, and a local frame of every bead."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.geometry.vectors import cross, reject, unit

__all__ = ["BeadFrames", "window_rows"]


def window_rows(
    segment: Int[Tensor, "L"], reach: int
) -> tuple[Int[Tensor, "L window"], Bool[Tensor, "L window"]]:
    """Return the rows from ``reach`` before to ``reach`` after each, and which belong to its segment."""
    own = torch.arange(len(segment), device=segment.device)[:, None]
    rows = own + torch.arange(-reach, reach + 1, device=segment.device)
    clamped = rows.clamp(0, len(segment) - 1)
    return clamped, (segment[clamped] == segment[:, None]) & (clamped == rows)


@dataclass(frozen=True, eq=False)
class BeadFrames:
    """Right-handed frames with their origins at L beads.

    Attributes
    ----------
    origin : Tensor, shape (L, 3)
        Å.
    axes : Tensor, shape (L, 3, 3)
        Rows are unit vectors.
    """

    origin: Float[Tensor, "L 3"]
    axes: Float[Tensor, "L 3 3"]

    @classmethod
    def from_positions(cls, positions: Float[Tensor, "L 3"], segment: Int[Tensor, "L"]) -> BeadFrames:
        """Make the frames from each bead and the ones before and after it.

        The first axis points along the chain, the second towards the inside of its bend. The first and the
        last bead of a segment have the axes of its inner beads next to them; beads of segments that are
        shorter than three have those of the beads that happen to be next to them.
        """
        rows = torch.arange(len(segment), device=segment.device)
        first = torch.searchsorted(segment, segment)
        last = torch.searchsorted(segment, segment, right=True) - 1
        inner = torch.minimum(torch.maximum(rows, first + 1), last - 1)
        middle = torch.where(last - first >= 2, inner, rows).clamp(1, max(len(segment) - 2, 1))
        before, after = positions[middle - 1], positions[(middle + 1).clamp(max=len(segment) - 1)]
        center = positions[middle.clamp(max=len(segment) - 1)]
        along = unit(after - before)
        bend = unit(reject(0.5 * (before + after) - center, along))
        return cls(positions, torch.stack([along, bend, cross(along, bend)], dim=-2))

    def to_local(self, points: Float[Tensor, "L K 3"]) -> Float[Tensor, "L K 3"]:
        """Return the coordinates of points in the frame of each bead."""
        steps = points - self.origin[:, None]
        return torch.einsum("lij,lkj->lki", self.axes, steps)

    def to_global(self, steps: Float[Tensor, "L 3"]) -> Float[Tensor, "L 3"]:
        """Turn vectors from the axes of each bead into those of the positions."""
        return torch.einsum("lij,li->lj", self.axes, steps)
