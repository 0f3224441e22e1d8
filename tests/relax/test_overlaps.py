"""Which pairs of atoms repel each other, and how."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from crowds import crowded, draft

from latcpb_cli.chem.residues import ATOM_SLOTS
from latcpb_cli.relax.overlaps import Contacts
from latcpb_cli.relax.structures import TorsionStructures


def columns_of(atoms: torch.Tensor) -> torch.Tensor:
    return atoms.permute(2, 1, 0).contiguous()


def named_pairs(chains: TorsionStructures) -> set[frozenset[str]]:
    length = len(chains)
    contacts = Contacts.of(columns_of(chains.atoms), chains, 1.0)

    def name(number: int) -> str:
        slot, row = divmod(number, length)
        return f"{row}:{(*ATOM_SLOTS[chains.types[row]], *15 * ['OXT'])[slot]}"

    return {frozenset((name(int(a)), name(int(b)))) for a, b in zip(contacts.one, contacts.two, strict=True)}


def test_bonded_atoms_do_not_repel() -> None:
    chain = draft(crowded(0, "AAA"))
    heap = torch.zeros_like(chain.atoms) + 0.01 * torch.arange(3)[:, None, None]
    pairs = named_pairs(replace(chain, atoms=heap))
    # Up to three bonds apart: N-CA-C-O; CB-CA-C-N across the peptide; C-N-CA-C. Four: O-C-N-CA-C.
    for near in (("0:N", "0:O"), ("0:CB", "1:N"), ("0:C", "1:C"), ("1:C", "2:N")):
        assert frozenset(near) not in pairs
    for far in (("0:O", "1:C"), ("0:CB", "1:CA"), ("0:C", "2:N"), ("0:N", "2:CA")):
        assert frozenset(far) in pairs


def test_structures_do_not_see_each_other() -> None:
    pairs = named_pairs(draft(crowded(0, "AFA"), crowded(0, "AFA")))
    assert pairs
    for pair in pairs:
        assert len({int(name.partition(":")[0]) // 3 for name in pair}) == 1


@pytest.mark.parametrize("apart, repels", [(2.05, False), (1.7, True), (2.9, False)])
def test_disulfides_are_let_be(apart: float, repels: bool) -> None:
    """Two SG at bonding distance do not repel each other or the other's CB; nearer ones do."""
    chain = draft(crowded(0, "CGGC"))
    atoms = chain.atoms + 50.0 * torch.arange(4)[:, None, None]
    first, second = atoms[0], atoms[3]
    there, away = torch.tensor([0.0, 500.0, 0.0]), torch.tensor([1.0, 0.0, 0.0])
    first[5], first[4] = there, there + torch.tensor([-0.9, 1.6, 0.0])
    second[5], second[4] = there + apart * away, there + apart * away + torch.tensor([0.9, 1.6, 0.0])
    columns = columns_of(atoms)
    slopes, _ = Contacts.of(columns, chain, 1.0).push(columns)
    assert bool((slopes[:, 5, [0, 3]] != 0).any()) == repels


def test_a_sulfur_on_the_other_carbon_is_pushed_away() -> None:
    """Two cysteines on top of each other are no disulfide."""
    chain = draft(crowded(0, "CGGC"))
    atoms = chain.atoms + 50.0 * torch.arange(4)[:, None, None]
    there = torch.tensor([0.0, 500.0, 0.0])
    atoms[0, 5], atoms[0, 4] = there, there + torch.tensor([0.0, 1.8, 0.0])
    atoms[3, 5], atoms[3, 4] = there + torch.tensor([0.0, 2.4, 0.0]), there + torch.tensor([0.9, 0.3, 0.0])
    columns = columns_of(atoms)
    slopes, _ = Contacts.of(columns, chain, 1.0).push(columns)
    assert (slopes[0, 4, 3] < 0) and (slopes[0, 5, 0] > 0)


def test_push_is_the_slope_of_squared_overlaps() -> None:
    chain = draft(crowded(0))
    columns = columns_of(chain.atoms.double()).requires_grad_()
    contacts = Contacts.of(columns.detach(), chain, 1.0)
    flat = columns.flatten(1)
    distance = (flat[:, contacts.one] - flat[:, contacts.two]).norm(dim=0)
    energy = ((contacts.reach - distance).clamp(min=0.0) ** 2).sum()
    (expected,) = torch.autograd.grad(energy, columns)
    slopes, stiff = contacts.push(columns.detach())
    assert distance.min() > 0.4
    assert torch.allclose(slopes, expected, atol=1e-9)
    assert (stiff > 0).equal((expected != 0).any(0))
