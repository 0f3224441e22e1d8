"""Noise: on what it depends, how it is distributed, and how smoothly it follows a trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latcpb_cli.diffusion.noise import FrameNoise, TraceNoise, gumbel

DESCRIPTORS = np.random.default_rng(4).normal(5.0, 2.0, (6, 40, 8))


def test_noise_depends_on_seed_frame_and_sample_and_not_on_the_batch() -> None:
    together, alone = FrameNoise(7, 1, [0, 3, 5], 4), FrameNoise(7, 1, [5], 4)
    for _ in range(3):
        assert torch.equal(together(3)[8:], alone(3))
    assert not torch.equal(FrameNoise(7, 1, [5], 4)(3), FrameNoise(8, 1, [5], 4)(3))
    assert not torch.equal(FrameNoise(7, 1, [5], 4)(3), FrameNoise(7, 0, [5], 4)(3))


def test_trace_noise_depends_on_seed_descriptors_and_sample_and_not_on_the_batch() -> None:
    together, alone = TraceNoise(7, 1, DESCRIPTORS, 1.5), TraceNoise(7, 1, DESCRIPTORS[4:5], 1.5)
    for width in (5, 3):
        assert torch.equal(together(width)[160:200], alone(width))
    noise = TraceNoise(7, 1, DESCRIPTORS, 1.5)(3)
    assert not torch.equal(noise, TraceNoise(8, 1, DESCRIPTORS, 1.5)(3))
    assert not torch.equal(noise, TraceNoise(7, 0, DESCRIPTORS, 1.5)(3))


def first_numbers(descriptors: np.ndarray) -> torch.Tensor:
    """The first number of every residue, for many seeds: (seeds, F, L)."""
    shape = descriptors.shape[:2]
    return torch.stack([TraceNoise(seed, 0, descriptors, 1.5)(1).view(shape) for seed in range(2000)])


def test_trace_noise_is_standard_normal_and_independent_between_residues() -> None:
    same_everywhere = np.broadcast_to(DESCRIPTORS[:1, :1], (1, 40, 8))  # as in a straight helix
    numbers = first_numbers(same_everywhere)[:, 0]
    assert numbers.mean().item() == pytest.approx(0.0, abs=0.02)
    assert numbers.square().mean().item() == pytest.approx(1.0, abs=0.02)
    assert numbers.pow(4).mean().item() == pytest.approx(3.0, abs=0.12)
    correlation = torch.corrcoef(numbers.T)
    assert (correlation - torch.eye(40)).abs().max() < 0.12
    assert correlation.sum().item() == pytest.approx(40.0, abs=4.0)


@pytest.mark.parametrize(
    ("distance", "correlation"), [(0.0, 1.0), (0.5, 0.946), (1.5, 0.607), (3.0, 0.135), (12.0, 0.0)]
)
def test_trace_noise_of_similar_descriptors_is_correlated(distance: float, correlation: float) -> None:
    """By exp(-d² / 2 length_scale²), with a length scale of 1.5 Å."""
    shift = np.eye(8)[3] * distance
    numbers = first_numbers(np.stack([DESCRIPTORS[0], DESCRIPTORS[0] + shift]))
    assert (numbers[:, 0] * numbers[:, 1]).mean().item() == pytest.approx(correlation, abs=0.02)


def test_gumbel_numbers_have_mean_and_variance_of_the_distribution() -> None:
    values = gumbel(torch.randn(200_000, generator=torch.Generator().manual_seed(0)))
    assert values.mean().item() == pytest.approx(0.5772, abs=0.01)
    assert values.var().item() == pytest.approx(1.6449, abs=0.03)
    assert gumbel(torch.tensor([-40.0, 40.0])).isfinite().all()
