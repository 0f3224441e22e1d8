"""The answer of least expected error: near the others, and still a state of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import tiny_model, trace_tensors

from latcpb_cli.chem.internal import FIRST_SLOT, chi_mask
from latcpb_cli.chem.residues import NAMES, swap_slots
from latcpb_cli.geometry.codec import place_side_chains
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.sidechains.candidates import MOST, SIDE, Candidates, build_candidates
from latcpb_cli.sidechains.expected_error import expected_errors, min_expected_error

WIDTH = 0.25  # rad


@pytest.fixture(scope="module")
def scene() -> tuple[Decoded, torch.Tensor, Candidates, torch.Tensor]:
    """Candidates on backbones, and probabilities that leave much open."""
    model, (ca, types, linked) = tiny_model(), trace_tensors()
    graph = model.graph(ca, types, linked, [len(ca)])
    latent = torch.rand(len(ca), 8, generator=torch.Generator().manual_seed(0))
    decoded = model.decoder(latent, model.cg_encoder(graph), graph)
    candidates = build_candidates(decoded, types)
    score = torch.randn(len(candidates.place), generator=torch.Generator().manual_seed(1))
    return decoded, types, candidates, candidates.grid(score, len(types)).softmax(-1)


def built(decoded: Decoded, types: torch.Tensor, chi: torch.Tensor) -> torch.Tensor:
    backbone = list(decoded.atoms[:, :FIRST_SLOT].unbind(1))
    return torch.stack(place_side_chains(backbone, decoded.internal.turned(chi), types)[FIRST_SLOT:], dim=1)


def expected(
    atoms: torch.Tensor, candidates: Candidates, share: torch.Tensor, types: torch.Tensor
) -> torch.Tensor:
    """Expected squared error (Å²) of atoms (L, 9, 3), residue by residue in a plain loop."""
    swaps = torch.from_numpy(swap_slots()[:, SIDE]) - FIRST_SLOT
    total = torch.zeros(len(types))
    for place, other, there in zip(candidates.place, candidates.atoms, candidates.there, strict=True):
        residue = int(place) // MOST
        names = other, other[swaps[types[residue]]]
        errors = [float(((atoms[residue] - name)[there] ** 2).sum()) for name in names]
        total[residue] += share.flatten()[place] * min(errors)
    return total


def answer(
    scene: tuple[Decoded, torch.Tensor, Candidates, torch.Tensor], width: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows, turns and atoms."""
    decoded, types, candidates, share = scene
    row, turn = min_expected_error(
        candidates, share, decoded.atoms, types, torch.full((len(types), 4), width)
    )
    return row, turn, built(decoded, types, candidates.chi[row] + turn)


def test_expected_errors_are_sums_over_all_candidates(
    scene: tuple[Decoded, torch.Tensor, Candidates, torch.Tensor],
) -> None:
    _, types, candidates, share = scene
    errors, middles = expected_errors(candidates, share, types)
    for rank in (0, 1, 3):
        rows = torch.nonzero(candidates.place % MOST == rank)[:, 0]
        atoms = torch.zeros(len(types), 9, 3)
        atoms[candidates.residue[rows]] = candidates.atoms[rows]
        slow = expected(atoms, candidates, share, types)[candidates.residue[rows]]
        assert torch.allclose(errors[rows], slow, atol=1e-3)
    alone = torch.nonzero(share.max(-1).values > 1 - 1e-6)[:, 0]
    rows = torch.searchsorted(candidates.place, alone * MOST)
    assert len(alone) > 0
    there = candidates.there[rows]
    assert torch.allclose(middles[rows][there], candidates.atoms[rows][there], atol=1e-5)


def test_without_room_to_turn_the_candidate_nearest_to_all_is_taken(
    scene: tuple[Decoded, torch.Tensor, Candidates, torch.Tensor],
) -> None:
    _, types, candidates, share = scene
    row, turn, _ = answer(scene, 0.0)
    errors, _ = expected_errors(candidates, share, types)
    probable = share.flatten()[candidates.place] >= 0.02
    errors = torch.where(probable, errors, torch.inf)
    least = torch.full((len(types),), torch.inf).scatter_reduce(0, candidates.residue, errors, "amin")
    assert not probable.all()
    assert torch.allclose(errors[row], least)
    assert (turn == 0).all()


def test_a_turn_lowers_the_expected_error_and_stays_within_the_state(
    scene: tuple[Decoded, torch.Tensor, Candidates, torch.Tensor],
) -> None:
    _, types, candidates, share = scene
    _, _, still = answer(scene, 0.0)
    _, turn, turned = answer(scene, WIDTH)
    before, after = (expected(atoms, candidates, share, types) for atoms in (still, turned))
    open_ended = (before > 0.5) & (types != NAMES.index("PRO"))
    assert open_ended.sum() > 8
    assert (after[open_ended] < before[open_ended]).all()
    assert after.sum() < 0.95 * before.sum()
    assert (turn.abs() <= WIDTH + 1e-6).all()
    assert (turn[~torch.from_numpy(chi_mask())[types]] == 0).all()


def test_where_nothing_is_open_nothing_turns(
    scene: tuple[Decoded, torch.Tensor, Candidates, torch.Tensor],
) -> None:
    decoded, types, candidates, share = scene
    sure = torch.zeros_like(share)
    sure[:, 0] = 1.0
    row, turn, _ = answer((decoded, types, candidates, sure), WIDTH)
    assert (candidates.place[row] % MOST == 0).all()
    assert turn.abs().max() < 1e-3


def test_turning_everything_turns_the_answer(
    scene: tuple[Decoded, torch.Tensor, Candidates, torch.Tensor],
) -> None:
    decoded, types, candidates, share = scene
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2)))[0]
    rotation = rotation * torch.linalg.det(rotation)
    moved = replace(candidates, atoms=candidates.atoms @ rotation)
    elsewhere = Decoded(decoded.atoms @ rotation, decoded.internal, decoded.rotamers)
    (row, turn), (same, also) = (
        min_expected_error(each, share, place.atoms, types, torch.full((len(types), 4), WIDTH))
        for each, place in ((candidates, decoded), (moved, elsewhere))
    )
    assert torch.equal(row, same)
    assert torch.allclose(turn, also, atol=1e-3)
