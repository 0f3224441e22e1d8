"""Rotations and reflections of coordinates, for tests of symmetry."""

from __future__ import annotations

import torch

__all__ = ["MIRROR", "random_rotation"]

MIRROR = torch.tensor([1.0, 1.0, -1.0])
"""Factors of x, y and z that reflect a structure."""


def random_rotation(seed: int) -> torch.Tensor:
    """A rotation matrix, always the same for a seed."""
    matrix = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(seed)))[0]
    return matrix * torch.linalg.det(matrix).sign()
