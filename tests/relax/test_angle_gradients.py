"""Gradients of angles and torsions against automatic differentiation."""

from __future__ import annotations

import torch

from latcpb_cli.geometry.vectors import torsion_vector
from latcpb_cli.relax.angle_gradients import angle_gradient, torsion_gradient


def random_vectors(count: int, seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(3, 9, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(count)
    ]


def test_torsion_gradient() -> None:
    points = random_vectors(4, 0)
    a, b, c, d = points
    torsion, on_ends, on_b = torsion_gradient(torch.stack([a - b, d - c], dim=1), b - c)
    on_a, on_d = on_ends.unbind(1)
    gradients = on_a, on_b, -on_a - on_b - on_d, on_d
    vector = torsion_vector(*(point.T for point in points))
    assert torch.allclose(torsion, torch.atan2(vector[:, 1], vector[:, 0]), atol=1e-6)
    for gradient, expected in zip(gradients, torch.autograd.grad(torsion.sum(), points), strict=True):
        assert torch.allclose(gradient, expected, atol=1e-3)


def test_angle_gradient() -> None:
    ends = torch.stack(random_vectors(2, 1), dim=1).detach().requires_grad_()
    angle, gradient = angle_gradient(ends)
    cos = torch.nn.functional.cosine_similarity(*ends.unbind(1), dim=0)
    assert torch.allclose(torch.cos(angle), cos, atol=1e-6)
    assert torch.allclose(gradient, torch.autograd.grad(angle.sum(), ends)[0], atol=1e-6)
