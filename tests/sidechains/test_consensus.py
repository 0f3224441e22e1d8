"""Frames that vote: which are asked, whom they can speak for, and what it does to an answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_model, trace_tensors

from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.sidechains.consensus import RotamerConsensus, choose_reference_frames

M, L = 4, 6
REACH = 1.5


@pytest.fixture
def survey() -> RotamerConsensus:
    draw = np.random.default_rng(1)
    shares = draw.dirichlet(np.ones(N_ROTAMERS), (M, L)).astype(np.float16)
    return RotamerConsensus(np.array([0, 10, 20, 30]), draw.normal(5.0, 1.0, (M, L, 8)), shares)


@given(st.integers(1, 10_000), st.integers(1, 50_000))
def test_few_frames_are_asked_and_evenly_spread(frames: int, residues: int) -> None:
    asked = choose_reference_frames(frames, residues)
    assert asked[0] == 0
    assert asked[-1] < frames
    assert len(asked) == 1 or len(asked) * residues <= 32768
    assert len(asked) <= min(frames, 32)
    if len(asked) > 1:
        gaps = np.diff(asked)
        assert asked[-1] == frames - 1
        assert gaps.min() > 0
        assert gaps.max() - gaps.min() <= 1


def test_a_frame_speaks_for_those_that_are_alike(survey: RotamerConsensus) -> None:
    same = survey.shapes[1:2]
    alike = same + 0.5 * np.eye(8)[2]
    far = same + 100.0
    one, near, none = (
        survey.votes(np.array([7]), each, REACH).view(L, N_ROTAMERS) for each in (same, alike, far)
    )
    own = torch.from_numpy(survey.shares[1].astype(np.float32))
    others = one - own
    assert (others >= 0).all(), "the other frames vote as well"
    apart = np.exp(-((survey.shapes[[0, 2, 3]] - same) ** 2).sum(-1) / (2 * REACH**2))
    assert others.sum(-1).numpy() == pytest.approx(apart.sum(0), abs=2e-3)
    lonely = RotamerConsensus(survey.frames[1:2], survey.shapes[1:2], survey.shares[1:2])
    expected = np.exp(-(0.5**2) / (2 * REACH**2))
    assert torch.allclose(lonely.votes(np.array([7]), alike, REACH).view(L, -1), expected * own, atol=1e-6)
    weight = np.exp(-((survey.shapes - alike) ** 2).sum(-1) / (2 * REACH**2))
    together = np.einsum("ml,mls->ls", weight, survey.shares.astype(float))
    assert near.numpy() == pytest.approx(together, abs=1e-5)
    assert none.max() == 0.0


def test_no_frame_votes_on_itself(survey: RotamerConsensus) -> None:
    seen = survey.votes(np.array([20]), survey.shapes[2:3], REACH)
    without = RotamerConsensus(*(np.delete(each, 2, axis=0) for each in vars(survey).values()))
    assert torch.equal(seen, without.votes(np.array([20]), survey.shapes[2:3], REACH))


def test_votes_do_not_depend_on_the_batch(survey: RotamerConsensus) -> None:
    shapes = np.random.default_rng(2).normal(5.0, 1.0, (9, L, 8))
    frames = np.arange(9)
    together = survey.votes(frames, shapes, REACH).view(9, L, -1)
    for frame in frames:
        alone = survey.votes(frames[[frame]], shapes[[frame]], REACH)
        assert torch.equal(together[frame], alone)


def test_an_answer_follows_the_vote() -> None:
    """Votes for one possible state of each residue decide; votes for an impossible one count for nothing."""
    model, (ca, types, linked) = tiny_model(), trace_tensors()
    graph = model.graph(ca, types, linked, [len(ca)])
    condition = model.cg_encoder(graph)
    latent = torch.rand(len(ca), 8, generator=torch.Generator().manual_seed(0))
    shares = model.shares(latent, condition, graph)
    possible = shares > 0.03
    several = possible.sum(-1) > 1
    assert several.sum() > 5
    plain = model.build(latent, condition, graph)
    last = torch.where(possible, shares, torch.inf).argmin(-1)
    votes = 1e4 * torch.nn.functional.one_hot(last, N_ROTAMERS)
    swayed = model.build(latent, condition, graph, votes=votes)
    nowhere = torch.where(shares > 0, 0.0, 1e4)
    assert torch.allclose(model.build(latent, condition, graph, votes=nowhere).atoms, plain.atoms, atol=1e-3)
    moved = (swayed.atoms - plain.atoms).norm(dim=-1).amax(-1) > 0.5
    assert moved[several].float().mean() > 0.8
    assert not moved[possible.sum(-1) == 1].any()
    assert torch.equal(swayed.atoms[:, :5], plain.atoms[:, :5]), "backbones have no vote"
