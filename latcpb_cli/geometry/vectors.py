"""Vector geometry on tensors (..., 3): directions, angles, torsions, placement."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["cosine", "cross", "place", "reject", "torsion_vector", "unit"]

_TINY = 1e-8


def cross(a: Tensor, b: Tensor) -> Tensor:
    """Cross product over the last axis."""
    return torch.linalg.cross(a, b, dim=-1)


def unit(vector: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Scale to length one; a zero vector stays zero, and gradients stay finite."""
    return vector * torch.rsqrt((vector * vector).sum(-1, keepdim=True) + _TINY)


def reject(vector: Float[Tensor, "*n 3"], axis: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Part of ``vector`` that is perpendicular to the unit vector ``axis``."""
    return vector - (vector * axis).sum(-1, keepdim=True) * axis


def cosine(a: Tensor, b: Tensor, c: Tensor) -> Float[Tensor, "*n"]:
    """Cosine of the angle a-b-c."""
    return (unit(a - b) * unit(c - b)).sum(-1)


def torsion_vector(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Float[Tensor, "*n 2"]:
    """(cos, sin) of the torsion a-b-c-d, positive clockwise (IUPAC)."""
    axis = unit(c - b)
    before = reject(a - b, axis)
    after = reject(d - c, axis)
    pair = torch.stack([(before * after).sum(-1), (cross(axis, before) * after).sum(-1)], dim=-1)
    return pair * torch.rsqrt((pair * pair).sum(-1, keepdim=True) + _TINY)


def place(
    a: Float[Tensor, "*n 3"],
    b: Float[Tensor, "*n 3"],
    c: Float[Tensor, "*n 3"],
    length: Tensor | float,
    angle: Tensor,
    torsion: Float[Tensor, "*n 2"],
) -> Float[Tensor, "*n 3"]:
    """Atom x with bond c-x ``length`` (Å), angle b-c-x ``angle`` (rad), torsion a-b-c-x (cos, sin)."""
    axis = unit(c - b)
    across = unit(reject(a - b, axis))
    side = cross(axis, across)
    turned = torsion[..., :1] * across + torsion[..., 1:] * side
    step = torch.sin(angle)[..., None] * turned - torch.cos(angle)[..., None] * axis
    return c + (step * length[..., None] if isinstance(length, Tensor) else step * length)
