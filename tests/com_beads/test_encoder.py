"""The encoder of beads turns with them, knows left from right, and leaves Cα alone."""

from __future__ import annotations

import pytest
import torch
from rotations import random_rotation
from tiny import SEQUENCE, coil, perturb

from latcpb_cli.chem.residues import letter_index
from latcpb_cli.com_beads.encoder import BeadEncoder, Beads

TYPES = torch.from_numpy(letter_index(SEQUENCE))
LENGTH = len(SEQUENCE)


@pytest.fixture(scope="module")
def encoder() -> BeadEncoder:
    torch.manual_seed(0)
    module = BeadEncoder().double().eval().requires_grad_(False)
    perturb(module, seed=1, scale=0.05)
    return module


def beads(positions: torch.Tensor | None = None, is_com: torch.Tensor | None = None) -> Beads:
    points = coil(LENGTH).double() if positions is None else positions
    kinds = torch.ones(LENGTH, dtype=torch.bool) if is_com is None else is_com
    return Beads(points, TYPES, kinds, torch.zeros(LENGTH, dtype=torch.int64))


def test_the_answer_turns_with_the_beads(encoder: BeadEncoder) -> None:
    turn, shift = random_rotation(3).double(), torch.tensor([5.0, -3.0, 2.0], dtype=torch.float64)
    plain, turned = (
        encoder(beads(points))[-1]
        for points in (coil(LENGTH).double(), coil(LENGTH).double() @ turn.T + shift)
    )
    for name in ("ca", "o"):
        torch.testing.assert_close(
            getattr(turned, name), getattr(plain, name) @ turn.T + shift, atol=1e-5, rtol=0
        )
    torch.testing.assert_close(turned.ca_log_std, plain.ca_log_std, atol=1e-5, rtol=0)


def test_a_mirror_image_is_not_mirrored(encoder: BeadEncoder) -> None:
    mirror = torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)
    plain, mirrored = (
        encoder(beads(points))[-1] for points in (coil(LENGTH).double(), coil(LENGTH).double() * mirror)
    )
    assert (mirrored.ca - plain.ca * mirror).norm(dim=-1).median() > 0.01


def test_beads_that_are_ca_stay_to_the_bit(encoder: BeadEncoder) -> None:
    is_com = torch.arange(LENGTH) % 3 == 0
    placement = encoder(beads(is_com=is_com))[-1]
    moved = (placement.ca != coil(LENGTH).double()).any(-1)
    assert (moved == is_com).all()


def test_a_chain_does_not_depend_on_the_next_one(encoder: BeadEncoder) -> None:
    alone = encoder(beads())[-1]
    both = Beads(
        torch.cat([coil(LENGTH).double(), 3.0 * coil(LENGTH).double()]),
        TYPES.repeat(2),
        torch.ones(2 * LENGTH, dtype=torch.bool),
        torch.arange(2).repeat_interleave(LENGTH),
    )
    torch.testing.assert_close(encoder(both)[-1].ca[:LENGTH], alone.ca)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_short_chains_have_finite_answers(encoder: BeadEncoder, length: int) -> None:
    short = Beads(
        coil(LENGTH).double()[:length],
        TYPES[:length],
        torch.ones(length, dtype=torch.bool),
        torch.zeros(length, dtype=torch.int64),
    )
    assert encoder(short)[-1].ca.isfinite().all()
