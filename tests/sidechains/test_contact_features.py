"""Features of contacts: distances and directions of bonds of two atoms."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.chem.atom_types import ATOM_TYPES
from latcpb_cli.sidechains.atom_groups import AtomGroups, find_contacts
from latcpb_cli.sidechains.contact_features import (
    N_TERMS,
    ContactFeatures,
    OrientedAtoms,
    backbone_bonds,
    two_way_table,
)
from latcpb_cli.sidechains.contacts import N_KNOTS

FIRST, SECOND = 3, 7
"""Atom types."""


def one_atom(position: list[float], bond: list[float], atom_type: int) -> OrientedAtoms:
    groups = AtomGroups.from_slots(
        torch.tensor([[position]]), torch.ones(1, 1, dtype=torch.bool), torch.tensor([[atom_type]])
    )
    return OrientedAtoms(groups, torch.tensor([bond]).T)


def features(distance: float) -> ContactFeatures:
    """An atom at the origin with a bond along x, and one along x with a bond at 60 degrees to the line."""
    first = one_atom([0.0, 0.0, 0.0], [1.0, 0.0, 0.0], FIRST)
    second = one_atom([distance, 0.0, 0.0], [-0.5, 0.75**0.5, 0.0], SECOND)
    zero = torch.zeros(1, dtype=torch.int32)
    (contacts,) = find_contacts(first.groups, second.groups, zero, zero)
    return ContactFeatures.from_contacts(first, second, contacts)


def table(term: int, one: int, two: int) -> torch.Tensor:
    """A table that is one for a term of an ordered pair of atom types, at all distances."""
    n_types = len(ATOM_TYPES)
    values = torch.zeros(N_TERMS, n_types, n_types, N_KNOTS + 1)
    values[term, one, two, :N_KNOTS] = 1.0
    return values.view(-1, 1)


@pytest.mark.parametrize(
    ("term", "expected"),
    [(0, 1.0), (1, 1.0), (2, 0.5), (3, 0.5)],
    ids=["constant", "first", "second", "both"],
)
def test_terms_are_cosines_of_bonds_with_the_line(term: int, expected: float) -> None:
    assert float(features(3.0).sum_by_pair(table(term, FIRST, SECOND))) == pytest.approx(expected, abs=1e-5)
    assert float(features(3.0).sum_by_pair(table(term, SECOND, FIRST))) == 0.0


@pytest.mark.parametrize(
    ("term", "expected"),
    [(0, 1.0), (1, 0.5), (2, 1.0), (3, 0.5)],
    ids=["constant", "first", "second", "both"],
)
def test_the_other_way_exchanges_types_and_cosines(term: int, expected: float) -> None:
    one_way, other_way = features(3.0).sum_by_pair(two_way_table(table(term, SECOND, FIRST)))[0]
    assert float(other_way) == pytest.approx(expected, abs=1e-5)
    assert float(one_way) == 0.0


@pytest.mark.parametrize(("distance", "factor"), [(3.9, 1.0), (4.25, 0.5), (4.6, 0.0)])
def test_directions_fade_out_with_distance(distance: float, factor: float) -> None:
    assert float(features(distance).sum_by_pair(table(1, FIRST, SECOND))) == pytest.approx(factor, abs=1e-4)
    assert float(features(distance).sum_by_pair(table(0, FIRST, SECOND))) == pytest.approx(1.0, abs=1e-4)


def test_bonds_of_backbones_have_length_one_but_those_of_c(chain) -> None:
    bonds = backbone_bonds(chain.decoded.atoms, chain.graph)
    glycine = int((chain.types == 7).sum())
    assert bonds.shape[1] == 5 * len(chain.types) - glycine
    length = bonds.norm(dim=0)
    assert int((length < 1e-3).sum()) == len(chain.types)
    assert ((length < 1e-3) | ((length - 1).abs() < 1e-4)).all()
