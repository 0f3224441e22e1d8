"""Scores of probabilities: least where these are right, and none for what cannot be known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from peptides import structure
from tiny import SEQUENCE, tiny_model

from latcpb_cli.chem.internal import FIRST_SLOT
from latcpb_cli.chem.residues import NAMES, swap_slots
from latcpb_cli.sidechains.candidates import MOST, SIDE, Candidates, build_candidates
from latcpb_cli.train.batch import Batch, make_batch
from latcpb_cli.train.data import Structure
from latcpb_cli.train.scores import energy_score, nll


@pytest.fixture(scope="module")
def scene() -> tuple[Batch, Candidates, torch.Tensor]:
    """A peptide, candidates for its side chains, and log probabilities that leave much open."""
    whole = structure(SEQUENCE)
    types, certainty = whole.trace.residue_types, np.ones(len(SEQUENCE), dtype=np.float32)
    batch = make_batch([Structure(whole.atoms[0], whole.present, types, whole.linked()[0], certainty)])
    model = tiny_model()
    graph = model.graph(batch.ca, batch.types, batch.linked, batch.sizes)
    latent = torch.rand(len(batch.types), 8, generator=torch.Generator().manual_seed(0))
    candidates = build_candidates(model.decoder(latent, model.cg_encoder(graph), graph), batch.types)
    score = torch.randn(len(candidates.place), generator=torch.Generator().manual_seed(1))
    return batch, candidates, candidates.grid(score, len(batch.types)).log_softmax(-1)


def truths(batch: Batch, candidates: Candidates, rank: torch.Tensor, *, swapped: bool = False) -> Batch:
    """The batch whose side chains are candidates of these ranks."""
    row = torch.searchsorted(candidates.place, torch.arange(len(rank)) * MOST + rank)
    atoms = batch.atoms.clone()
    atoms[:, SIDE] = candidates.atoms[row]
    if swapped:
        slots = torch.from_numpy(swap_slots())[batch.types]
        atoms = atoms.gather(1, slots[..., None].expand_as(atoms))
    return replace(batch, atoms=atoms, rotamer=candidates.state[row])


def certain(candidates: Candidates, rank: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(rank, MOST).float()


def test_certain_and_right_costs_nothing_under_either_name(scene) -> None:
    batch, candidates, _ = scene
    rank = torch.zeros(len(batch.types), dtype=torch.long)
    names = [NAMES[t] for t in batch.types]
    assert {"PHE", "TYR", "ASP"} & set(names), "symmetric groups are in it"
    for swapped in (False, True):
        there = truths(batch, candidates, rank, swapped=swapped)
        assert abs(float(energy_score(certain(candidates, rank), candidates, there))) < 1e-4
    assert float(nll(certain(candidates, rank).log(), candidates, certain(candidates, rank), there)) == 0.0


def test_certain_and_wrong_costs_the_squared_error(scene) -> None:
    batch, candidates, _ = scene
    several = torch.bincount(candidates.residue, minlength=len(batch.types)) > 1
    there = truths(batch, candidates, several.long())
    zero = torch.zeros_like(several, dtype=torch.long)
    said = energy_score(certain(candidates, zero), candidates, there) * (there.rotamer >= 0).sum()
    first, second = (truths(batch, candidates, rank).atoms[:, SIDE] for rank in (zero, several.long()))
    swaps = torch.from_numpy(swap_slots()[:, SIDE])[batch.types] - FIRST_SLOT
    other = second.gather(1, swaps[..., None].expand_as(second))
    squares = [(((first - names) ** 2).sum(-1) * batch.present[:, SIDE]).sum(-1) for names in (second, other)]
    assert several.any()
    torch.testing.assert_close(said, torch.minimum(*squares).sum(), rtol=1e-4, atol=1e-3)


def test_the_true_probabilities_are_the_best_answer(scene) -> None:
    batch, candidates, score = scene
    share = score.exp()
    generator = torch.Generator().manual_seed(2)
    worlds = [
        truths(batch, candidates, torch.multinomial(share, 1, generator=generator).squeeze(1))
        for _ in range(400)
    ]

    def expected(answer: torch.Tensor) -> float:
        return float(sum(energy_score(answer, candidates, world) for world in worlds)) / len(worlds)

    for wrong in (score * 3.0, score * 0.2, score.roll(1, 0)):
        possible = torch.where(share > 0, wrong, -1e4)
        assert expected(share) < expected(possible.softmax(-1))


def test_side_chains_that_are_not_known_do_not_count(scene) -> None:
    batch, candidates, score = scene
    rank = torch.zeros(len(batch.types), dtype=torch.long)
    there = truths(batch, candidates, rank)
    hidden = there.rotamer.clone()
    hidden[::2] = -1
    nonsense = there.atoms.clone()
    nonsense[::2, SIDE] += 50.0
    answer = score.exp().requires_grad_()
    some = energy_score(answer, candidates, replace(there, rotamer=hidden, atoms=nonsense))
    torch.testing.assert_close(some, energy_score(answer, candidates, replace(there, rotamer=hidden)))
    (slope,) = torch.autograd.grad(some, answer)
    assert slope.isfinite().all()
    assert slope[::2].abs().max() == 0.0 < slope[1::2].abs().max()
