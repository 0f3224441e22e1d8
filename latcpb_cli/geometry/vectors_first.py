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

__all__ = ["cross", "dot", "from_frame", "unit"]


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
    crossed = torch.addcmul(a * b.index_select(0, cycle), a.index_select(0, cycle), b, value=-1)
    return crossed.index_select(0, cycle)


def unit(vector: Float[Tensor, "3 *n"]) -> Float[Tensor, "3 *n"]:
    """Scale to length one; a zero vector stays zero."""
    return vector * torch.rsqrt(dot(vector, vector) + 1e-12)


def from_frame(
    axes: Float[Tensor, "3 3 L"],
    local: Float[Tensor, "3 s L"],
    origin: Float[Tensor, "3 L"] | None = None,
) -> Float[Tensor, "3 s L"]:
    """Return the positions of s points, of each of L frames, from their coordinates in the frame.

    Parameters
    ----------
    axes
        Coordinates first, then the three axes.
    local
        Coordinates along the axes.
    origin
        Of the frames; by default they have none.
    """
    (first, second, third), (x, y, z) = axes[:, :, None].unbind(1), local.unbind(0)
    along = first * x if origin is None else torch.addcmul(origin[:, None], first, x)
    return torch.addcmul(torch.addcmul(along, second, y), third, z)


@cache
@torch.inference_mode(False)
def _cyclic_order(device: torch.device) -> Int[Tensor, "3"]:
    return torch.tensor([1, 2, 0], device=device)
