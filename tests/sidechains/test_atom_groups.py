"""Contacts of groups of atoms, against all pairs of atoms."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.geometry.masks import expand_ranges
from latcpb_cli.sidechains import atom_groups
from latcpb_cli.sidechains.atom_groups import AtomGroups, Contacts, find_contacts, groups_of_pairs

MASK = torch.rand(6, 4, generator=torch.Generator().manual_seed(1)) < 0.8
ATOMS = 5.0 * torch.randn(6, 4, 3, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def groups() -> AtomGroups:
    mask = MASK.clone()
    mask[3] = False
    return AtomGroups.from_slots(ATOMS, mask, torch.arange(24).view(6, 4))


def contacts_of(groups: AtomGroups) -> Contacts:
    first, second = torch.triu_indices(6, 6, 1).int()
    (contacts,) = find_contacts(groups, groups, first, second)
    return contacts


def test_groups_hold_the_atoms_of_their_mask(groups: AtomGroups) -> None:
    mask = MASK.clone()
    mask[3] = False
    assert torch.equal(groups.positions.T, ATOMS[mask])
    assert torch.equal(groups.atom_types, torch.arange(24).view(6, 4)[mask].int())
    assert torch.equal(groups.count, mask.sum(1).int())
    for group in (0, 5):
        atoms = groups.positions[:, groups.first[group] : groups.first[group] + groups.count[group]]
        assert torch.equal(atoms.T, ATOMS[group][mask[group]])
        distance = (atoms - groups.center[:, group, None]).norm(dim=0)
        assert float(distance.max()) == pytest.approx(float(groups.radius[group]), rel=1e-5)
    assert groups.radius[3] == -torch.inf


def test_contacts_are_all_pairs_of_atoms_within_the_cutoff(groups: AtomGroups) -> None:
    contacts = contacts_of(groups)
    group_of = torch.repeat_interleave(torch.arange(6), groups.count.long())
    distance = torch.cdist(groups.positions.T, groups.positions.T)
    expected = (distance < atom_groups.CONTACT_CUTOFF) & (group_of[:, None] < group_of)
    one, two = torch.nonzero(expected).unbind(1)
    pairs = sorted(zip(one.tolist(), two.tolist(), strict=True))
    assert pairs == sorted(zip(contacts.first_atom.tolist(), contacts.second_atom.tolist(), strict=True))
    assert len(pairs) > 15
    assert torch.allclose(contacts.distance, distance[contacts.first_atom, contacts.second_atom], atol=1e-5)
    assert torch.equal(contacts.first_group[contacts.pair], group_of[contacts.first_atom].int())
    assert torch.equal(contacts.second_group[contacts.pair], group_of[contacts.second_atom].int())


@pytest.mark.parametrize("whole_groups", [False, True])
def test_blocks_hold_the_same_contacts(
    groups: AtomGroups, whole_groups: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = contacts_of(groups)
    first, second = torch.triu_indices(6, 6, 1).int()
    monkeypatch.setattr(atom_groups, "_PAIRS_PER_CPU_BLOCK", 4)
    blocks = find_contacts(groups, groups, first, second, whole_groups=whole_groups)
    assert len(blocks) > 2
    for name, expected in vars(whole).items():
        assert torch.equal(torch.cat([getattr(block, name) for block in blocks]), expected), name
    owners = [set(block.first_group.tolist()) for block in blocks]
    assert (len(set().union(*owners)) == sum(map(len, owners))) == whole_groups
    both = groups_of_pairs(blocks)
    assert torch.equal(both[0], whole.first_group) and torch.equal(both[1], whole.second_group)


def test_no_pairs_are_one_empty_block(groups: AtomGroups) -> None:
    nothing = torch.zeros(0, dtype=torch.int32)
    (contacts,) = find_contacts(groups, groups, nothing, nothing, whole_groups=True)
    assert all(len(value) == 0 for value in vars(contacts).values())


def test_selected_contacts_belong_to_the_selected_pairs(groups: AtomGroups) -> None:
    contacts = contacts_of(groups)
    mask = torch.arange(len(contacts.first_group)) % 2 == 1
    selected = contacts.select(mask)
    kept = mask[contacts.pair]
    assert torch.equal(selected.first_group, contacts.first_group[mask])
    assert torch.equal(selected.first_atom, contacts.first_atom[kept])
    groups_of_contacts = contacts.first_group[contacts.pair][kept]
    assert torch.equal(selected.first_group[selected.pair], groups_of_contacts)


def test_ranges_are_listed_one_after_another() -> None:
    row, value = expand_ranges(torch.tensor([5, 0, 7]), torch.tensor([2, 0, 3]))
    assert row.tolist() == [0, 0, 2, 2, 2]
    assert value.tolist() == [5, 6, 7, 8, 9]
