"""The frame of a residue's side chain, which follows N and C, and the forces that it exerts on them."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latcpb_cli.geometry.vectors_first import cross, dot, unit

__all__ = ["backbone_gradient", "sidechain_frame"]

_MIN_COMPONENT = 0.1
"""Smallest cosine by which a torque is divided; it keeps gradients finite where N-CA-C is nearly straight."""


def sidechain_frame(
    n: Float[Tensor, "3 L"], c: Float[Tensor, "3 L"], is_proline: Bool[Tensor, "L"]
) -> Float[Tensor, "3 3 L"]:
    """Return a right-handed frame that the side chain is fixed to: coordinates, then axes.

    The first axis is the bisector of N-CA-C, to which the codec attaches CB;
    in proline it is the direction from CA to N, because N is part of the ring.

    Parameters
    ----------
    n, c : Tensor, shape (3, L)
        Vectors from CA to N and C, Å.
    is_proline : Tensor, shape (L,)
    """
    u, v = unit(torch.stack([n, c], dim=1)).unbind(1)
    normal, bisector = _normal_and_bisector(u, v)
    first = torch.where(is_proline, u, bisector)
    return torch.stack([first, normal, cross(first, normal)], dim=1)


def backbone_gradient(
    n: Float[Tensor, "3 L"],
    c: Float[Tensor, "3 L"],
    torque: Float[Tensor, "3 L"],
    is_proline: Bool[Tensor, "L"],
) -> tuple[Float[Tensor, "3 L"], Float[Tensor, "3 L"]]:
    """Return the gradients on N and C that are equivalent to a torque on the side chain about CA.

    Parameters
    ----------
    n, c : Tensor, shape (3, L)
        Vectors from CA to N and C, Å.
    torque : Tensor, shape (3, L)
    is_proline : Tensor, shape (L,)

    Notes
    -----
    The torque has three components. That along the bisector of N-CA-C turns N
    and C about it in opposite directions; that along the other in-plane axis
    lifts both out of their plane to the same side; that along the normal turns
    both within the plane, in proline N alone.
    """
    ends = torch.stack([n, c], dim=1)
    lengths = torch.sqrt(dot(ends, ends) + 1e-8)
    u, v = (ends / lengths).unbind(1)
    normal, bisector = _normal_and_bisector(u, v)
    across = cross(normal, bisector)
    lift = dot(torque, across) / (2 * dot(u, bisector).clamp(min=_MIN_COMPONENT))
    roll = dot(torque, bisector) / (2 * dot(v, across).clamp(min=_MIN_COMPONENT))
    swing = dot(torque, normal)
    swing_n = torch.where(is_proline, swing, swing / 2)
    on_n = swing_n * cross(normal, u) - (lift + roll) * normal
    on_c = (swing - swing_n) * cross(normal, v) + (roll - lift) * normal
    on_n, on_c = (torch.stack([on_n, on_c], dim=1) / lengths).unbind(1)
    return on_n, on_c


def _normal_and_bisector(
    u: Float[Tensor, "3 L"], v: Float[Tensor, "3 L"]
) -> tuple[Float[Tensor, "3 L"], Float[Tensor, "3 L"]]:
    """Unit vectors across two unit vectors, and halfway between them."""
    normal, bisector = unit(torch.stack([cross(u, v), u + v], dim=1)).unbind(1)
    return normal, bisector
