"""The best rotations of peptides against an exhaustive search."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from traces import TYPES, noisy_coils

from latcpb_cli.backbone.peptide_chain import PeptideChain
from latcpb_cli.backbone.relax_trace import residue_energies
from latcpb_cli.backbone.viterbi import best_rotations, pair_energies


@pytest.fixture
def ca() -> torch.Tensor:
    return torch.from_numpy(noisy_coils(1, 0.3)[0].astype(np.float64))


def test_rotations_have_the_least_energy_of_all_combinations(ca: torch.Tensor) -> None:
    ca = ca[:4]
    chain = PeptideChain.from_trace(ca, TYPES[:4], np.array([True, True, True, False]))
    energies = pair_energies(ca, chain).numpy()
    combinations = itertools.product(range(energies.shape[-1]), repeat=3)
    least = min(
        energies[1, first, second] + energies[2, second, third] for first, second, third in combinations
    )
    planar = torch.stack([best_rotations(ca, chain), torch.zeros(len(ca)).double()], dim=1)
    best = residue_energies(ca, planar, chain)
    assert float(best.sum()) == pytest.approx(least, rel=1e-6)


def test_a_break_makes_both_sides_independent(ca: torch.Tensor) -> None:
    linked = np.arange(len(ca)) != 9
    linked[-1] = False
    both = best_rotations(ca, PeptideChain.from_trace(ca, TYPES, linked))
    for part in (slice(0, 10), slice(10, None)):
        alone = best_rotations(ca[part], PeptideChain.from_trace(ca[part], TYPES[part], linked[part]))
        joined = linked[part]
        assert torch.equal(both[part][joined], alone[joined])
