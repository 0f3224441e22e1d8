"""Local frames of residues."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latcpb_cli.geometry.frames import residue_frames


def coil(length: int) -> torch.Tensor:
    step = np.random.default_rng(4).normal(size=(length, 3))
    return torch.from_numpy(np.cumsum(3.8 * step / np.linalg.norm(step, axis=1, keepdims=True), axis=0))


def linked_chain(length: int) -> torch.Tensor:
    return torch.arange(length) < length - 1


@pytest.mark.parametrize("length", [3, 4, 12])
def test_frames_are_right_handed_and_rotate_with_the_trace(length: int) -> None:
    ca, linked = coil(length), linked_chain(length)
    frames = residue_frames(ca, linked)
    assert torch.allclose(frames @ frames.mT, torch.eye(3, dtype=torch.float64), atol=1e-6)
    assert torch.allclose(torch.linalg.det(frames), torch.ones(length, dtype=torch.float64), atol=1e-6)
    rotation = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0]
    rotation = rotation * torch.linalg.det(rotation)
    assert torch.allclose(residue_frames(ca @ rotation.T, linked), frames @ rotation.T, atol=1e-6)


def test_end_residues_have_the_direction_of_their_neighbours() -> None:
    frames = residue_frames(coil(6), linked_chain(6))
    assert torch.equal(frames[0], frames[1])
    assert torch.equal(frames[-1], frames[-2])


def test_dipeptides_have_a_direction_and_single_residues_have_none() -> None:
    ca = coil(3)
    frames = residue_frames(ca, torch.tensor([True, False, False]))
    along = (ca[1] - ca[0]) / 3.8
    for frame in frames[:2]:
        assert torch.allclose(frame, torch.stack([along, torch.zeros(3), torch.zeros(3)]).double(), atol=1e-4)
    assert not frames[2].any()
