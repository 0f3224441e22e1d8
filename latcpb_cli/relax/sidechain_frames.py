"""The frame of a residue's side chain, which follows N and C, and the forces that it exerts on them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latcpb_cli.geometry.vectors_first import cross, dot, unit

__all__ = ["SideChainFrame"]

_MIN_COMPONENT = 0.1
"""Smallest cosine by which a torque is divided; it keeps gradients finite where N-CA-C is nearly straight."""


@dataclass(frozen=True, eq=False)
class SideChainFrame:
    """Right-handed frames that the side chains of L residues are fixed to.

    Attributes
    ----------
    axes : Tensor, shape (3, 3, L)
        Coordinates, then axes. The first axis is the bisector of N-CA-C, to which the codec attaches CB;
        in proline it is the direction from CA to N, because N is part of the ring.
    lengths : Tensor, shape (2, L)
        Of CA-N and CA-C, Å.
    to_n, to_c : Tensor, shape (3, L)
        Unit vectors from CA to N and C.
    plane : Tensor, shape (3, 3, L)
        Coordinates, then unit vectors: normal to N-CA-C, along its bisector, and from N towards C.
    is_proline : Tensor, shape (L,)
    """

    axes: Float[Tensor, "3 3 L"]
    lengths: Float[Tensor, "2 L"]
    to_n: Float[Tensor, "3 L"]
    to_c: Float[Tensor, "3 L"]
    plane: Float[Tensor, "3 3 L"]
    is_proline: Bool[Tensor, "L"]

    @classmethod
    def from_backbone(cls, ends: Float[Tensor, "3 2 L"], is_proline: Bool[Tensor, "L"]) -> SideChainFrame:
        """Make the frames of residues from the vectors from CA to N and C, Å."""
        lengths = torch.sqrt(dot(ends, ends) + 1e-8)
        to_n, to_c = (ends / lengths).unbind(1)
        plane = unit(torch.stack([cross(to_n, to_c), to_n + to_c, to_c - to_n], dim=1))
        normal, bisector, _ = plane.unbind(1)
        first = torch.where(is_proline, to_n, bisector)
        axes = torch.stack([first, normal, cross(first, normal)], dim=1)
        return cls(axes, lengths, to_n, to_c, plane, is_proline)

    def backbone_gradient(self, torque: Float[Tensor, "3 L"]) -> Float[Tensor, "3 2 L"]:
        """Return the gradients on N and C that are equivalent to a torque on the side chain about CA.

        Notes
        -----
        The torque has three components. That along the bisector of N-CA-C turns N
        and C about it in opposite directions; that along the other in-plane axis
        lifts both out of their plane to the same side; that along the normal turns
        both within the plane, in proline N alone.
        """
        _, bisector, across = self.plane.unbind(1)
        # Of half the angle N-CA-C.
        cos, sin = dot(self.to_n, bisector), dot(self.to_c, across)
        about_normal, about_bisector, about_across = dot(torque[:, None], self.plane).unbind(0)
        lift = about_across / (2 * cos.clamp(min=_MIN_COMPONENT))
        roll = about_bisector / (2 * sin.clamp(min=_MIN_COMPONENT))
        swing_n = torch.where(self.is_proline, about_normal, about_normal / 2)
        swing_c = about_normal - swing_n
        # Components along the three vectors of the plane.
        on_n = -(lift + roll), swing_n * sin, swing_n * cos
        on_c = roll - lift, -swing_c * sin, swing_c * cos
        components = torch.stack([*on_n, *on_c]).view(2, 3, -1) / self.lengths[:, None]
        return (self.plane[:, None] * components).sum(2)
