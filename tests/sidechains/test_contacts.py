"""Contacts of candidates, and sums over tables of functions of distance."""

from __future__ import annotations

import itertools

import pytest
import torch

from latcpb_cli.sidechains.atom_groups import CONTACT_CUTOFF
from latcpb_cli.sidechains.contacts import knot_position, table_sum


@pytest.mark.parametrize(
    ("distance", "knot", "fraction"),
    [(0.0, 0, 0.0), (2.5, 0, 0.0), (2.6, 0, 0.4), (2.75, 1, 0.0), (4.0, 6, 0.0), (5.875, 13, 0.5)],
)
def test_positions_between_knots(distance: float, knot: int, fraction: float) -> None:
    index, part = knot_position(torch.tensor([distance]))
    assert float(index + part) == pytest.approx(knot + fraction, abs=1e-4)


def test_distances_from_the_cutoff_on_lie_at_the_last_knot() -> None:
    index, part = knot_position(torch.tensor([6.0, 9.0]))
    assert index.tolist() == [13, 13]
    assert torch.allclose(part, torch.ones(2), atol=1e-3)


def test_table_sums_belong_to_their_owners() -> None:
    table = torch.tensor([[1.0, 0.0], [10.0, 1.0], [100.0, 2.0]])
    entries = torch.tensor([[0, 1], [2, 2], [1, 0]])
    factors = torch.tensor([[1.0, 2.0], [0.5, 0.5], [1.0, 0.0]])
    sums = table_sum(table, entries, factors, torch.tensor([0, 2, 2, 3]))
    assert sums.tolist() == [[121.0, 4.0], [0.0, 0.0], [10.0, 1.0], [0.0, 0.0]]


def test_mutual_contacts_hold_every_pair_of_near_candidates_once(chain) -> None:
    candidates = chain.candidates()
    (contacts,) = chain.contacts(candidates).mutual
    pairs = list(zip(contacts.first_group.tolist(), contacts.second_group.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert not set(pairs) & {(second, first) for first, second in pairs}
    expected = set()
    neighbors = {(i, int(j)) for i, row in enumerate(chain.graph.index) for j in row if int(j) != i}
    for one, two in itertools.combinations(range(len(candidates.index)), 2):
        residues = int(candidates.residue[one]), int(candidates.residue[two])
        if not {residues, residues[::-1]} & neighbors:
            continue
        atoms = candidates.atoms[one][candidates.mask[one]], candidates.atoms[two][candidates.mask[two]]
        if len(atoms[0]) and len(atoms[1]) and float(torch.cdist(*atoms).min()) < CONTACT_CUTOFF:
            expected.add((one, two))
    touching = torch.zeros(len(pairs), dtype=torch.bool)
    touching[contacts.pair] = True
    assert {pair for pair, touches in zip(pairs, touching, strict=True) if touches} == expected
    assert len(expected) > 100


def test_fixed_contacts_are_with_neighbors_only(chain) -> None:
    candidates = chain.candidates()
    (contacts,) = chain.contacts(candidates).fixed
    residue = candidates.residue[contacts.first_group]
    neighbors = chain.graph.index[residue]
    assert (neighbors == contacts.second_group[:, None]).any(-1).all()
