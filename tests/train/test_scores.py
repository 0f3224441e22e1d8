"""Scores of probabilities: least where these are right, and independent of what is not known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from peptides import structure
from tiny import SEQUENCE, tiny_model

from latcpb_cli.chem.residues import GAMMA_SLOT, NAMES, swap_slots
from latcpb_cli.sidechains.candidates import (
    MAX_CANDIDATES,
    SIDE_CHAIN_SLOTS,
    Candidates,
    build_candidates,
)
from latcpb_cli.train.batch import Batch, make_batch
from latcpb_cli.train.scores import energy_score, nll
from latcpb_cli.train.structures import Structure


@dataclass(frozen=True, eq=False)
class Problem:
    """A peptide, candidates for its side chains, and log probabilities that are far from certain."""

    batch: Batch
    candidates: Candidates
    log_prob: torch.Tensor

    def with_truth(self, rank: torch.Tensor, *, swapped: bool = False) -> Batch:
        """The batch whose side chains are the candidates of these ranks."""
        rows = torch.searchsorted(self.candidates.index, torch.arange(len(rank)) * MAX_CANDIDATES + rank)
        atoms = self.batch.atoms.clone()
        atoms[:, SIDE_CHAIN_SLOTS] = self.candidates.atoms[rows]
        if swapped:
            slots = torch.from_numpy(swap_slots())[self.batch.types]
            atoms = atoms.gather(1, slots[..., None].expand_as(atoms))
        return replace(self.batch, atoms=atoms, rotamer=self.candidates.rotamer[rows])

    def energy_score(self, probability: torch.Tensor, truth: Batch) -> torch.Tensor:
        return energy_score(probability, self.candidates, truth)


@pytest.fixture(scope="module")
def problem() -> Problem:
    native = structure(SEQUENCE)
    types, confidence = native.trace.residue_types, np.ones(len(SEQUENCE), dtype=np.float32)
    batch = make_batch([Structure(native.atoms[0], native.present, types, native.linked()[0], confidence)])
    model = tiny_model()
    graph = model.build_graph(batch.ca, batch.types, batch.linked, batch.sizes)
    latent = torch.rand(len(batch.types), 8, generator=torch.Generator().manual_seed(0))
    candidates = build_candidates(model.decoder(latent, model.cg_encoder(graph), graph), batch.types)
    logits = torch.randn(len(candidates.index), generator=torch.Generator().manual_seed(1))
    return Problem(batch, candidates, candidates.to_table(logits, len(batch.types)).log_softmax(-1))


def certain(rank: torch.Tensor) -> torch.Tensor:
    """Probabilities of one for the candidates of these ranks."""
    return torch.nn.functional.one_hot(rank, MAX_CANDIDATES).float()


def zeros(problem: Problem) -> torch.Tensor:
    return torch.zeros(len(problem.batch.types), dtype=torch.long)


@pytest.mark.parametrize("swapped", [False, True])
def test_certain_and_right_costs_nothing_under_either_name(problem: Problem, swapped: bool) -> None:
    rank = zeros(problem)
    names = [NAMES[residue_type] for residue_type in problem.batch.types]
    assert {"PHE", "TYR", "ASP"} & set(names), "symmetric groups are in it"
    truth = problem.with_truth(rank, swapped=swapped)
    assert abs(float(problem.energy_score(certain(rank), truth))) < 1e-4
    assert float(nll(certain(rank).log(), problem.candidates, certain(rank), truth)) == 0.0


def test_nll_is_that_of_the_true_candidates(problem: Problem) -> None:
    truth = problem.with_truth(zeros(problem))
    has_chi = truth.rotamer >= 0
    expected = -problem.log_prob[:, 0][has_chi].mean()
    score = nll(problem.log_prob, problem.candidates, problem.log_prob.exp(), truth)
    torch.testing.assert_close(score, expected)


def test_certain_and_wrong_costs_the_squared_error(problem: Problem) -> None:
    batch, rank = problem.batch, zeros(problem)
    several = torch.bincount(problem.candidates.residue, minlength=len(batch.types)) > 1
    assert several.any()
    truth = problem.with_truth(several.long())
    score = problem.energy_score(certain(rank), truth) * (truth.rotamer >= 0).sum()
    predicted, true = (x.atoms[:, SIDE_CHAIN_SLOTS] for x in (problem.with_truth(rank), truth))
    swaps = torch.from_numpy(swap_slots()[:, SIDE_CHAIN_SLOTS])[batch.types] - GAMMA_SLOT
    swapped = true.gather(1, swaps[..., None].expand_as(true))
    present = batch.present[:, SIDE_CHAIN_SLOTS]
    squares = [(((predicted - x) ** 2).sum(-1) * present).sum(-1) for x in (true, swapped)]
    torch.testing.assert_close(score, torch.minimum(*squares).sum(), rtol=1e-4, atol=1e-3)


def test_the_true_probabilities_have_the_best_expected_score(problem: Problem) -> None:
    probability = problem.log_prob.exp()
    generator = torch.Generator().manual_seed(2)
    truths = [
        problem.with_truth(torch.multinomial(probability, 1, generator=generator).squeeze(1))
        for _ in range(400)
    ]

    def expected_score(predicted: torch.Tensor) -> float:
        return float(sum(problem.energy_score(predicted, truth) for truth in truths)) / len(truths)

    best = expected_score(probability)
    for wrong in (problem.log_prob * 3.0, problem.log_prob * 0.2, problem.log_prob.roll(1, 0)):
        possible = torch.where(probability > 0, wrong, -1e4)
        assert best < expected_score(possible.softmax(-1))


def test_side_chains_that_are_not_known_do_not_count(problem: Problem) -> None:
    truth = problem.with_truth(zeros(problem))
    rotamer = truth.rotamer.clone()
    rotamer[::2] = -1
    displaced = truth.atoms.clone()
    displaced[::2, SIDE_CHAIN_SLOTS] += 50.0
    probability = problem.log_prob.exp().requires_grad_()
    score = problem.energy_score(probability, replace(truth, rotamer=rotamer, atoms=displaced))
    expected = problem.energy_score(probability, replace(truth, rotamer=rotamer))
    torch.testing.assert_close(score, expected)
    (gradient,) = torch.autograd.grad(score, probability)
    assert gradient.isfinite().all()
    assert gradient[::2].abs().max() == 0.0 < gradient[1::2].abs().max()
