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
    u, v = unit(n), unit(c)
    normal = unit(cross(u, v))
    first = torch.where(is_proline, u, unit(u + v))
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
    length_n, length_c = torch.sqrt(dot(n, n) + 1e-8), torch.sqrt(dot(c, c) + 1e-8)
    u, v = n / length_n, c / length_c
    bisector, normal = unit(u + v), unit(cross(u, v))
    across = cross(normal, bisector)
    lift = dot(torque, across) / (2 * dot(u, bisector).clamp(min=_MIN_COMPONENT))
    roll = dot(torque, bisector) / (2 * dot(v, across).clamp(min=_MIN_COMPONENT))
    swing = dot(torque, normal)
    swing_n = torch.where(is_proline, swing, swing / 2)
    gradient_n = (swing_n * cross(normal, u) - (lift + roll) * normal) / length_n
    gradient_c = ((swing - swing_n) * cross(normal, v) + (roll - lift) * normal) / length_c
    return gradient_n, gradient_c
