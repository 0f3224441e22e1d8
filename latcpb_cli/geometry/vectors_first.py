"""Vectors whose three coordinates stand on the first axis."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

__all__ = ["cross", "dot", "rotate_about_axis", "unit"]


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar product over the first axis."""
    return (a * b).sum(0)


def cross(a: Tensor, b: Tensor) -> Tensor:
    """Cross product over the first axis."""
    if a.dim() == 2 and b.dim() == 2:
        return torch.linalg.cross(a, b, dim=0)
    # The library's own strides through memory when there are more axes, and so does rolling the first.
    ahead = _ahead(a.device)
    crossed = a * b.index_select(0, ahead) - a.index_select(0, ahead) * b
    return crossed.index_select(0, ahead)


def unit(vector: Tensor) -> Tensor:
    """Scale to length one; a zero vector stays zero."""
    return vector * torch.rsqrt(dot(vector, vector) + 1e-12)


def rotate_about_axis(arm: Tensor, axis: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn ``arm`` about a unit ``axis`` through the origin (Rodrigues)."""
    along = dot(arm, axis) * (1.0 - cos)
    return cos * arm + along * axis + sin * cross(axis, arm)


@cache
def _ahead(device: torch.device) -> Tensor:
    return torch.tensor([1, 2, 0], device=device)
