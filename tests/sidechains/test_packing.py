"""Packing: contact energies, the mean field, and the widths of rotamers."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.sidechains.atom_groups import AtomGroups, Contacts
from latcpb_cli.sidechains.packing import NOISE_PER_RESIDUE


def test_energies_are_continuous_and_end_at_zero(chain) -> None:
    packing, count = chain.packing, 4001
    packing.contact_energy.data.normal_(generator=torch.Generator().manual_seed(1))
    distance = torch.linspace(2.0, 6.0, count)
    zero, each = torch.zeros(1, dtype=torch.long), torch.arange(count)
    atom = AtomGroups(torch.zeros(3, 1), zero, zero, zero + 1, torch.zeros(3, 1), torch.zeros(1))
    first_atom = torch.zeros_like(each)
    contacts = Contacts(each, each, torch.ones_like(each), first_atom, first_atom, distance)
    energy = packing._contact_energy(atom, atom, [contacts])
    assert energy.diff().abs().max() < 0.03
    assert abs(float(energy[-1])) < 1e-3
    assert float(energy[0]) == pytest.approx(float(packing.contact_energy[0, 0]))


def test_without_energies_marginals_are_the_probabilities_of_the_decoder(chain) -> None:
    candidates = chain.candidates()
    probability = chain.packing.marginals(candidates, chain.contacts(candidates), chain.graph)
    expected = candidates.to_table(candidates.log_prob, len(chain.types)).softmax(-1)
    assert torch.allclose(probability, expected, atol=1e-5)


def test_marginals_add_up_to_one_and_have_a_gradient(chain) -> None:
    chain.repel()
    candidates = chain.candidates()
    energy = chain.packing.contact_energy.requires_grad_(True)
    probability = chain.packing.marginals(candidates, chain.contacts(candidates), chain.graph)
    assert torch.allclose(probability.sum(-1), torch.ones(len(chain.types)), atol=1e-5)
    (gradient,) = torch.autograd.grad(probability[:, 0].sum(), energy)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0


def test_energies_lower_the_probability_of_overlapping_candidates(chain) -> None:
    candidates = chain.candidates()
    contacts = chain.contacts(candidates)
    before = chain.packing.marginals(candidates, contacts, chain.graph).flatten()[candidates.index]
    chain.repel()
    after = chain.packing.marginals(candidates, contacts, chain.graph).flatten()[candidates.index]
    (fixed,) = contacts.fixed
    nearest = torch.full((len(candidates.index),), torch.inf)
    group = fixed.first_group[fixed.pair].long()
    nearest = nearest.scatter_reduce(0, group, fixed.distance, "amin")
    overlapping, free = nearest < 2.5, nearest > 3.2
    assert overlapping.any()
    assert after[overlapping].sum() < 0.1 * before[overlapping].sum()
    assert after[free].sum() > before[free].sum()


def test_conditional_logits_depend_on_all_other_atoms(chain) -> None:
    """On side chains as well as on backbones."""
    chain.repel()
    candidates = chain.candidates()
    atoms = chain.decoded.atoms.clone()
    before = chain.packing.conditional_logits(candidates, atoms, chain.graph)
    row = int(torch.nonzero(candidates.mask[:, 0])[0])
    other = int(chain.graph.index[candidates.residue[row], 0])
    atoms[other, 5] = candidates.atoms[row, 0] + torch.tensor([1.0, 0.0, 0.0])
    assert (chain.types[other] != 7) & (chain.types[other] != 0), "the neighbour has this slot"
    after = chain.packing.conditional_logits(candidates, atoms, chain.graph)
    assert (after - before).flatten()[candidates.index[row]] < -10.0


def test_offsets_have_sharper_peaks_and_longer_tails_than_a_gaussian(chain) -> None:
    noise = torch.randn(5000, 4, generator=torch.Generator().manual_seed(2))
    offset = chain.packing.sample_chi_offset(noise, torch.full((5000, 4), 0.05)) / 0.05
    assert torch.equal(offset.sign(), noise.sign())
    assert (offset.abs() < noise.abs())[noise.abs() < 0.6].all()
    assert (offset.abs() > noise.abs())[noise.abs() > 2.7].all()
    assert (offset.std(0).diff()[:2] > 0.2).all(), "the first chi angles vary least"


def test_the_condition_changes_the_width_of_rotamers(chain) -> None:
    packing, condition, types = chain.packing, chain.condition, chain.types
    before = packing.chi_std(condition, types)
    weight = packing.log_std_correction.weight
    weight.data[1] = 0.1 * torch.randn(weight.shape[1], generator=torch.Generator().manual_seed(3))
    after = packing.chi_std(condition, types)
    assert torch.equal(after[:, [0, 2, 3]], before[:, [0, 2, 3]])
    assert len((after[:, 1] / before[:, 1]).unique()) > 10


def test_there_is_a_random_number_per_rotamer_and_per_chi_angle() -> None:
    assert NOISE_PER_RESIDUE == N_ROTAMERS + 4
