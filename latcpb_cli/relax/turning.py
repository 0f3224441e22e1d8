"""Vectors and matrices as functions of the angle by which they turn about a fixed axis."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latcpb_cli.geometry.vectors_first import cross, dot

__all__ = ["Turning"]


class Turning(NamedTuple):
    """A constant part, and the factors of cosine and sine of the angle."""

    constant: Float[Tensor, "3 *n"]
    by_cos: Float[Tensor, "3 *n"]
    by_sin: Float[Tensor, "3 *n"]

    @classmethod
    def vectors(
        cls, arms: Float[Tensor, "3 *n"], axis: Float[Tensor, "3 *#n"], turns: Bool[Tensor, "*#n"]
    ) -> Turning:
        """Vectors from a point on a unit axis, some of which turn; the last axes are those of ``turns``."""
        along = dot(arms, axis) * axis
        across, third = (
            torch.where(turns, part, 0.0) for part in (arms - along, cross(axis.expand_as(arms), arms))
        )
        return cls(torch.where(turns, along, arms), across, third)

    @classmethod
    def matrices(cls, axis: Float[Tensor, "3 *n"]) -> Turning:
        """Rotation matrices (3, 3, ...) about unit axes: Rodrigues' formula."""
        identity = torch.eye(3, dtype=axis.dtype, device=axis.device).view(3, 3, *(axis.dim() - 1) * [1])
        along = axis[:, None] * axis
        skew = torch.stack([cross(axis, unit_vector.expand_as(axis)) for unit_vector in identity], dim=1)
        return cls(along, identity - along, skew)

    def at(self, cos: Float[Tensor, "*#n"], sin: Float[Tensor, "*#n"]) -> Float[Tensor, "3 *n"]:
        """Return them at an angle."""
        return torch.addcmul(torch.addcmul(self.constant, cos, self.by_cos), sin, self.by_sin)

    def rate(self, cos: Float[Tensor, "*#n"], sin: Float[Tensor, "*#n"]) -> Float[Tensor, "3 *n"]:
        """Return their derivatives by the angle, per rad."""
        return torch.addcmul(cos * self.by_sin, sin, self.by_cos, value=-1)
