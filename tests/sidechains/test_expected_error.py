"""The side chain of least expected error: near the others, and within its own rotamer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from rotations import random_rotation

from latcpb_cli.chem.residues import GAMMA_SLOT, PRO, swap_slots
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.geometry.codec import place_side_chains
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.sidechains.candidates import MAX_CANDIDATES, SIDE_CHAIN_SLOTS, Candidates
from latcpb_cli.sidechains.expected_error import expected_errors, min_expected_error

MAX_OFFSET = 0.25
"""rad."""


@dataclass
class Case:
    """Candidates on their backbones, with probabilities."""

    decoded: Decoded
    types: torch.Tensor
    candidates: Candidates
    probability: torch.Tensor

    def choose(self, max_offset: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Rows, offsets of chi, and atoms of slots 5 to 13."""
        bounds = torch.full((len(self.types), 4), max_offset)
        arguments = self.candidates, self.probability, self.decoded.atoms, self.types, bounds
        row, offset = min_expected_error(*arguments)
        internal = self.decoded.internal.with_chi(self.candidates.chi[row] + offset)
        backbones = list(self.decoded.atoms[:, :GAMMA_SLOT].unbind(1))
        atoms = torch.stack(place_side_chains(backbones, internal, self.types)[GAMMA_SLOT:], dim=1)
        return row, offset, atoms

    def expected_error(self, atoms: torch.Tensor) -> torch.Tensor:
        """Expected squared error (Å²) of atoms (L, 9, 3), candidate by candidate."""
        swaps = torch.from_numpy(swap_slots()[:, SIDE_CHAIN_SLOTS]) - GAMMA_SLOT
        total = torch.zeros(len(self.types))
        columns = self.candidates.index, self.candidates.atoms, self.candidates.mask
        for index, other, mask in zip(*columns, strict=True):
            residue = int(index) // MAX_CANDIDATES
            names = other, other[swaps[self.types[residue]]]
            errors = [float(((atoms[residue] - each)[mask] ** 2).sum()) for each in names]
            total[residue] += self.probability.flatten()[index] * min(errors)
        return total


@pytest.fixture
def case(chain) -> Case:
    """Random probabilities, under which several rotamers of most residues are possible."""
    candidates = chain.candidates()
    score = torch.randn(len(candidates.index), generator=torch.Generator().manual_seed(1))
    probability = candidates.to_table(score, len(chain.types)).softmax(-1)
    return Case(chain.decoded, chain.types, candidates, probability)


def test_expected_errors_are_sums_over_all_candidates(case: Case) -> None:
    candidates, types = case.candidates, case.types
    errors, _ = expected_errors(candidates, case.probability, types)
    for rank in (0, 1, 3):
        rows = torch.nonzero(candidates.index % MAX_CANDIDATES == rank)[:, 0]
        atoms = torch.zeros(len(types), 9, 3)
        atoms[candidates.residue[rows]] = candidates.atoms[rows]
        expected = case.expected_error(atoms)[candidates.residue[rows]]
        assert torch.allclose(errors[rows], expected, atol=1e-3)


def test_expected_positions_of_a_certain_candidate_are_its_own(case: Case) -> None:
    _, expected = expected_errors(case.candidates, case.probability, case.types)
    certain = torch.nonzero(case.probability.max(-1).values > 1 - 1e-6)[:, 0]
    assert len(certain) > 0
    rows = torch.searchsorted(case.candidates.index, certain * MAX_CANDIDATES)
    mask = case.candidates.mask[rows]
    assert torch.allclose(expected[rows][mask], case.candidates.atoms[rows][mask], atol=1e-5)


def test_without_offsets_the_candidate_of_least_expected_error_is_chosen(case: Case) -> None:
    row, offset, _ = case.choose(0.0)
    errors, _ = expected_errors(case.candidates, case.probability, case.types)
    probable = case.probability.flatten()[case.candidates.index] >= 0.02
    errors = torch.where(probable, errors, torch.inf)
    least = torch.full((len(case.types),), torch.inf)
    least = least.scatter_reduce(0, case.candidates.residue, errors, "amin")
    assert not probable.all()
    assert torch.allclose(errors[row], least)
    assert (offset == 0).all()


def test_offsets_lower_the_expected_error_and_stay_within_their_bounds(case: Case) -> None:
    _, _, fixed = case.choose(0.0)
    _, offset, adjusted = case.choose(MAX_OFFSET)
    before, after = case.expected_error(fixed), case.expected_error(adjusted)
    uncertain = (before > 0.5) & (case.types != PRO)
    assert uncertain.sum() > 8
    assert (after[uncertain] < before[uncertain]).all()
    assert after.sum() < 0.95 * before.sum()
    assert (offset.abs() <= MAX_OFFSET + 1e-6).all()
    assert (offset[~torch.from_numpy(chi_mask())[case.types]] == 0).all()


def test_certain_candidates_are_chosen_as_they_are(case: Case) -> None:
    certain = torch.zeros_like(case.probability)
    certain[:, 0] = 1.0
    row, offset, _ = replace(case, probability=certain).choose(MAX_OFFSET)
    assert (case.candidates.index[row] % MAX_CANDIDATES == 0).all()
    assert offset.abs().max() < 1e-3


def test_the_choice_does_not_change_with_rotation(case: Case) -> None:
    rotation = random_rotation(2).T
    rotated = replace(
        case,
        candidates=replace(case.candidates, atoms=case.candidates.atoms @ rotation),
        decoded=replace(case.decoded, atoms=case.decoded.atoms @ rotation),
    )
    (row, offset, _), (rotated_row, rotated_offset, _) = case.choose(MAX_OFFSET), rotated.choose(MAX_OFFSET)
    assert torch.equal(row, rotated_row)
    assert torch.allclose(offset, rotated_offset, atol=1e-3)
