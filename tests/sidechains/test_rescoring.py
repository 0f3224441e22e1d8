"""Rescoring: what enters from the surroundings of a candidate, and what may change."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from MDAnalysis.lib.distances import calc_dihedrals

from latcpb_cli.chem.atom_types import ATOM_TYPES, atom_type_table
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, GAMMA_SLOT, N_SLOT, O_SLOT, slot_mask
from latcpb_cli.sidechains.candidates import MAX_CANDIDATES
from latcpb_cli.sidechains.rescoring import N_ROUNDS, _torsion_features


def rescore(chain, rounds: int = N_ROUNDS) -> torch.Tensor:
    """Log probabilities after packing and rescoring."""
    candidates = chain.candidates()
    contacts = chain.contacts(candidates)
    probability = chain.packing.marginals(candidates, contacts, chain.graph)
    atoms, condition, graph = chain.decoded.atoms, chain.condition, chain.graph
    environment = chain.rescoring.environment(candidates, probability, contacts, atoms, graph)
    return chain.rescoring(candidates, probability, environment, atoms, condition, graph, rounds)


def test_contacts_are_freed_while_they_are_embedded(chain) -> None:
    candidates = chain.candidates()
    contacts = chain.contacts(candidates)
    probability = chain.packing.marginals(candidates, contacts, chain.graph)
    assert contacts.fixed
    assert contacts.mutual
    chain.rescoring.environment(candidates, probability, contacts, chain.decoded.atoms, chain.graph)
    assert not contacts.fixed
    assert not contacts.mutual


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
    probability = trained_chain.packing.marginals(candidates, contacts, graph)
    weight = probability.flatten()[candidates.index]
    first, second = ATOM_TYPES.index("aliphatic C"), ATOM_TYPES.index("backbone O")
    rescoring.contact_embedding.data[:] = 0.0
    rescoring.contact_embedding.data[first * len(ATOM_TYPES) + second, :, 0] = 1.0
    environment = rescoring.environment(candidates, probability, contacts, decoded.atoms, graph)
    sums = torch.cat(environment.weighted(weight), dim=-1)
    atom_types, mask = torch.from_numpy(atom_type_table()), torch.from_numpy(slot_mask())
    scored = weight >= 0.005  # the others keep the probability of the mean field
    assert 0 < scored.sum() < len(scored)
    for row in torch.nonzero(scored).flatten().tolist():
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
    weight = torch.full((len(candidates.index),), 0.3)
    environment = trained_chain.rescoring.environment(
        candidates,
        torch.full((len(trained_chain.types), MAX_CANDIDATES), 0.3),
        contacts,
        trained_chain.decoded.atoms,
        trained_chain.graph,
    )
    single, double = environment.weighted(weight), environment.weighted(2 * weight)
    assert torch.equal(single[0], double[0]), "backbones are certain"
    assert torch.allclose(2 * single[1], double[1], atol=1e-5)
    assert single[1].abs().max() > 0


def test_each_round_has_the_probabilities_of_the_round_before(trained_chain) -> None:
    """Without contacts and messages, a residue has no surroundings, and rounds are equal."""
    one, two = rescore(trained_chain, 1), rescore(trained_chain, 2)
    assert (one.exp() - two.exp()).abs().max() > 1e-3
    for layer in (trained_chain.rescoring.message_out.weight, trained_chain.rescoring.message_out.bias):
        layer.data[:] = 0.0
    trained_chain.rescoring.contact_embedding.data[:] = 0.0
    assert torch.allclose(rescore(trained_chain, 1), rescore(trained_chain, 2), atol=1e-5)


def test_features_of_torsions_are_those_of_phi_and_psi(trained_chain) -> None:
    atoms, graph = trained_chain.decoded.atoms, trained_chain.graph
    phi_cos, phi_sin, psi_cos, psi_sin, *products = _torsion_features(atoms, graph).unbind(-1)
    ends = ~graph.linked | ~graph.order.linked_before(graph.linked)
    inner = (~ends).nonzero().flatten().tolist()
    assert 0 < len(inner) < len(ends)
    angles = torsion_angles(atoms)
    for row in inner:
        phi, psi = angles[row]
        assert math.degrees(math.atan2(phi_sin[row], phi_cos[row])) == pytest.approx(phi, abs=0.1)
        assert math.degrees(math.atan2(psi_sin[row], psi_cos[row])) == pytest.approx(psi, abs=0.1)
    assert all((product[ends] == 0).all() and product[inner].abs().max() > 0.1 for product in products)


def torsion_angles(atoms: torch.Tensor) -> list[tuple[float, float]]:
    """Phi and psi (degrees) of every residue of one row of residues, by MDAnalysis."""
    n, ca, c = (atoms[:, slot].numpy().astype(float) for slot in (N_SLOT, CA_SLOT, C_SLOT))
    phi = calc_dihedrals(np.roll(c, 1, axis=0), n, ca, c)
    psi = calc_dihedrals(n, ca, c, np.roll(n, -1, axis=0))
    return list(zip(np.degrees(phi), np.degrees(psi), strict=True))


def test_every_parameter_has_a_gradient(trained_chain) -> None:
    trained_chain.rescoring.requires_grad_(True)
    score = rescore(trained_chain)
    score[:, 0].sum().backward()
    for name, parameter in trained_chain.rescoring.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    assert score.shape[1] == MAX_CANDIDATES
