"""Rescoring: what enters from the surroundings of a candidate, and what may change."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.chem.atom_types import ATOM_TYPES, atom_type_table
from latcpb_cli.chem.residues import GAMMA_SLOT, O_SLOT, slot_mask
from latcpb_cli.sidechains.candidates import MAX_CANDIDATES


def rescore(chain) -> torch.Tensor:
    """Log probabilities after packing and rescoring."""
    candidates = chain.candidates()
    contacts = chain.contacts(candidates)
    probability = chain.packing.marginals(candidates, contacts, chain.graph)
    atoms, condition, graph = chain.decoded.atoms, chain.condition, chain.graph
    return chain.rescoring(candidates, probability, contacts, atoms, condition, graph)


def test_before_training_rescoring_changes_nothing(chain) -> None:
    candidates = chain.candidates()
    probability = chain.packing.marginals(candidates, chain.contacts(candidates), chain.graph)
    rescored, original = (x.flatten()[candidates.index] for x in (rescore(chain).exp(), probability))
    assert torch.allclose(rescored, original, atol=2e-4)


def test_probabilities_add_up_to_one_and_change(chain, trained_chain) -> None:
    probability = rescore(trained_chain).exp()
    assert torch.allclose(probability.sum(-1), torch.ones(len(trained_chain.types)), atol=1e-5)
    assert (probability - rescore(chain).exp()).abs().max() > 0.05


def test_probabilities_do_not_change_with_rotation(trained_chain, rotated_chain) -> None:
    assert torch.allclose(rescore(trained_chain), rescore(rotated_chain), atol=1e-3)


def test_surroundings_are_sums_over_all_atoms_within_the_cutoff(trained_chain) -> None:
    """For one pair of atom types and a constant function of distance, against a plain loop."""
    rescoring, decoded, graph = trained_chain.rescoring, trained_chain.decoded, trained_chain.graph
    candidates = trained_chain.candidates()
    contacts = trained_chain.contacts(candidates)
    weight = trained_chain.packing.marginals(candidates, contacts, graph).flatten()[candidates.index]
    first, second = ATOM_TYPES.index("aliphatic C"), ATOM_TYPES.index("backbone O")
    rescoring.contact_embedding.data[:] = 0.0
    rescoring.contact_embedding.data[first * len(ATOM_TYPES) + second, :, 0] = 1.0
    sums = rescoring._surroundings(candidates, weight, contacts, decoded.atoms, graph)
    atom_types, mask = torch.from_numpy(atom_type_table()), torch.from_numpy(slot_mask())
    for row in range(len(candidates.index)):
        residue = int(candidates.residue[row])
        residue_type = int(graph.types[residue])
        total = 0.0
        for neighbor in graph.index[residue][graph.mask[residue]].tolist():
            for slot in range(GAMMA_SLOT, 14):
                if atom_types[residue_type, slot] != first or not mask[residue_type, slot]:
                    continue
                atom = candidates.atoms[row, slot - GAMMA_SLOT]
                distance = float((atom - decoded.atoms[neighbor, O_SLOT]).norm())
                total += min(1.0, max(0.0, (6.0 - distance) / 0.25))  # falls to zero after the last knot
        assert float(sums[row, 0]) == pytest.approx(total, abs=1e-3)
    assert sums[:, 0].max() > 0
    assert sums[:, 1:].abs().max() == 0


def test_other_candidates_count_by_their_probability(trained_chain) -> None:
    candidates = trained_chain.candidates()
    contacts = trained_chain.contacts(candidates)
    single, double = (
        trained_chain.rescoring._surroundings(
            candidates,
            torch.full((len(candidates.index),), weight),
            contacts,
            trained_chain.decoded.atoms,
            trained_chain.graph,
        )
        for weight in (0.3, 0.6)
    )
    half = single.shape[1] // 2
    assert torch.allclose(single[:, :half], double[:, :half]), "backbones are certain"
    assert torch.allclose(2 * single[:, half:], double[:, half:], atol=1e-5)
    assert single[:, half:].abs().max() > 0


def test_every_parameter_has_a_gradient(trained_chain) -> None:
    trained_chain.rescoring.requires_grad_(True)
    score = rescore(trained_chain)
    score[:, 0].sum().backward()
    for name, parameter in trained_chain.rescoring.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    assert score.shape[1] == MAX_CANDIDATES
