"""Noise: whose it is, how it is distributed, and how smoothly it follows a trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latcpb_cli.diffusion.noise import FrameNoise, TraceNoise

SHAPES = np.random.default_rng(4).normal(5.0, 2.0, (6, 40, 8))


def test_noise_belongs_to_frame_and_sample_not_to_the_batch() -> None:
    together, alone = FrameNoise(7, 1, [0, 3, 5], 4), FrameNoise(7, 1, [5], 4)
    for _ in range(3):
        assert torch.equal(together(3)[8:], alone(3))
    assert not torch.equal(FrameNoise(7, 1, [5], 4)(3), FrameNoise(8, 1, [5], 4)(3))
    assert not torch.equal(FrameNoise(7, 1, [5], 4)(3), FrameNoise(7, 0, [5], 4)(3))


def test_noise_of_a_trace_belongs_to_its_shapes_not_to_the_batch() -> None:
    together, alone = TraceNoise(7, 1, SHAPES, 1.5), TraceNoise(7, 1, SHAPES[4:5], 1.5)
    for width in (5, 3):
        assert torch.equal(together(width)[160:200], alone(width))
    drawn = TraceNoise(7, 1, SHAPES, 1.5)(3)
    assert not torch.equal(drawn, TraceNoise(8, 1, SHAPES, 1.5)(3))
    assert not torch.equal(drawn, TraceNoise(7, 0, SHAPES, 1.5)(3))


def draws(shapes: np.ndarray) -> torch.Tensor:
    """The first number of every residue, for many seeds: (seeds, F, L)."""
    return torch.stack([TraceNoise(seed, 0, shapes, 1.5)(1).view(shapes.shape[:2]) for seed in range(2000)])


def test_noise_of_a_trace_is_standard_normal_and_independent_between_residues() -> None:
    one = draws(np.broadcast_to(SHAPES[:1, :1], (1, 40, 8)))[:, 0]  # a straight helix: all shapes alike
    assert one.mean().item() == pytest.approx(0.0, abs=0.02)
    assert one.square().mean().item() == pytest.approx(1.0, abs=0.02)
    assert one.pow(4).mean().item() == pytest.approx(3.0, abs=0.12)
    between = torch.corrcoef(one.T)
    assert (between - torch.eye(40)).abs().max() < 0.12
    assert between.sum().item() == pytest.approx(40.0, abs=4.0)


@pytest.mark.parametrize("apart", [0.0, 0.5, 1.5, 3.0, 12.0])
def test_noise_follows_shapes_as_far_as_it_is_told(apart: float) -> None:
    direction = np.eye(8)[3] * apart
    drawn = draws(np.stack([SHAPES[0], SHAPES[0] + direction]))
    together = (drawn[:, 0] * drawn[:, 1]).mean().item()
    assert together == pytest.approx(np.exp(-(apart**2) / (2 * 1.5**2)), abs=0.02)
