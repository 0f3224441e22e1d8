"""Vector geometry on tensors (3, ...), for the relaxation in torsion space.

With the coordinates on the first axis, the x of all vectors are contiguous in
memory, then the y, then the z. A dot product is then a sum of three long arrays,
which is several times as fast on CPUs as a reduction over a last axis of three.
"""

from __future__ import annotations

from functools import cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["cross", "dot", "rotate_about_axis", "unit"]


def dot(a: Float[Tensor, "3 *#n"], b: Float[Tensor, "3 *#n"]) -> Float[Tensor, "..."]:
    """Return the dot product over the first axis."""
    return (a * b).sum(0)


def cross(a: Float[Tensor, "3 *#n"], b: Float[Tensor, "3 *#n"]) -> Float[Tensor, "3 ..."]:
    """Return the cross product over the first axis."""
    if a.dim() == 2 and b.dim() == 2:
        product: Tensor = torch.linalg.cross(a, b, dim=0)
        return product
    # With more axes, torch.linalg.cross and torch.roll do not read memory in order.
    cycle = _cyclic_order(a.device)
    crossed = a * b.index_select(0, cycle) - a.index_select(0, cycle) * b
    return crossed.index_select(0, cycle)


def unit(vector: Float[Tensor, "3 *n"]) -> Float[Tensor, "3 *n"]:
    """Scale to length one; a zero vector stays zero."""
    return vector * torch.rsqrt(dot(vector, vector) + 1e-12)


def rotate_about_axis(
    arm: Float[Tensor, "3 *#n"],
    axis: Float[Tensor, "3 *#n"],
    cos: Float[Tensor, "*#n"],
    sin: Float[Tensor, "*#n"],
) -> Float[Tensor, "3 ..."]:
    """Rotate ``arm`` about a unit ``axis`` through the origin (Rodrigues' formula)."""
    along = dot(arm, axis) * (1.0 - cos)
    return cos * arm + along * axis + sin * cross(axis, arm)


@cache
def _cyclic_order(device: torch.device) -> Int[Tensor, "3"]:
    return torch.tensor([1, 2, 0], device=device)
