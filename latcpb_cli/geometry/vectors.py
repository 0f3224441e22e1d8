"""Vector geometry on tensors (..., 3): directions, angles, torsions, placement of atoms."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["LANES", "atan2", "cosine", "cross", "place_atom", "reject", "torsion_vector", "unit"]

LANES = 64
"""A number of floats that fills the vector registers of every CPU.

Elements left over after the last full register are computed one by one, which rounds differently. Axes padded
to a multiple of this number make the result for one element independent of the others.
"""
_TINY = 1e-8


def cross(a: Float[Tensor, "*#n 3"], b: Float[Tensor, "*#n 3"]) -> Float[Tensor, "... 3"]:
    """Return the cross product over the last axis."""
    product: Tensor = torch.linalg.cross(a, b, dim=-1)
    return product


def unit(vector: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
    """Scale vectors of any dimension to length one.

    Zero vectors stay zero, and gradients stay finite.
    """
    return vector * torch.rsqrt((vector * vector).sum(-1, keepdim=True) + _TINY)


def reject(vector: Float[Tensor, "*n 3"], axis: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Return the component of ``vector`` perpendicular to the unit vector ``axis``."""
    return vector - (vector * axis).sum(-1, keepdim=True) * axis


def cosine(
    a: Float[Tensor, "*n 3"], b: Float[Tensor, "*n 3"], c: Float[Tensor, "*n 3"]
) -> Float[Tensor, "*n"]:
    """Return the cosine of the angle a-b-c."""
    return (unit(a - b) * unit(c - b)).sum(-1)


def atan2(y: Float[Tensor, "*n"], x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Return angles (rad) that do not depend on where in a tensor an element is.

    The last elements of a tensor, which fill no vector register, are computed by another routine than
    the others, and round differently. Padding keeps all elements in full registers.
    """
    spare = -y.numel() % LANES
    padded = (torch.nn.functional.pad(part.flatten(), (0, spare), value=1.0) for part in (y, x))
    return torch.atan2(*padded)[: y.numel()].view(y.shape)


def torsion_vector(
    a: Float[Tensor, "*n 3"], b: Float[Tensor, "*n 3"], c: Float[Tensor, "*n 3"], d: Float[Tensor, "*n 3"]
) -> Float[Tensor, "*n 2"]:
    """Return (cos, sin) of the torsion a-b-c-d, positive clockwise (IUPAC)."""
    axis = unit(c - b)
    before = reject(a - b, axis)
    after = reject(d - c, axis)
    pair = torch.stack([(before * after).sum(-1), (cross(axis, before) * after).sum(-1)], dim=-1)
    return pair * torch.rsqrt((pair * pair).sum(-1, keepdim=True) + _TINY)


def place_atom(
    a: Float[Tensor, "*n 3"],
    b: Float[Tensor, "*n 3"],
    c: Float[Tensor, "*n 3"],
    length: Float[Tensor, "*n"] | float,
    angle: Float[Tensor, "*n"],
    torsion: Float[Tensor, "*n 2"],
) -> Float[Tensor, "*n 3"]:
    """Return the position (Å) of an atom x from three others.

    Parameters
    ----------
    a, b, c : Tensor, shape (..., 3)
        Positions, Å.
    length : Tensor, shape (...,), or float
        Bond c-x, Å.
    angle : Tensor, shape (...,)
        Bond angle b-c-x, rad.
    torsion : Tensor, shape (..., 2)
        (cos, sin) of the torsion a-b-c-x.
    """
    axis = unit(c - b)
    across = unit(reject(a - b, axis))
    side = cross(axis, across)
    turned = torsion[..., :1] * across + torsion[..., 1:] * side
    step = torch.sin(angle)[..., None] * turned - torch.cos(angle)[..., None] * axis
    return c + (step * length[..., None] if isinstance(length, Tensor) else step * length)
