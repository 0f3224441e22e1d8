"""Rotameric states: every conformation has one, and it is the one its angles say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latcpb_cli.chem.atom_types import ATOM_TYPES, atom_type_pairs, atom_type_table
from latcpb_cli.chem.internal import chi_mask
from latcpb_cli.chem.residues import ATOM_SLOTS, CHI_SYMMETRIC, NAMES
from latcpb_cli.chem.rotamers import N_ROTAMERS, rotamer_of, rotamer_table, states

WITH_CHI = [residue for residue in range(20) if chi_mask()[residue].any()]


@pytest.mark.parametrize("residue", WITH_CHI)
def test_centres_lie_in_their_own_cells(residue: int) -> None:
    table = rotamer_table()
    count = len(states(residue))
    assert table.exists[residue].sum() == count <= N_ROTAMERS
    assert (rotamer_of(table.chi[residue, :count], residue) == np.arange(count)).all()


def test_shares_add_up_and_types_without_chi_have_one_state() -> None:
    table = rotamer_table()
    assert np.allclose(table.share.sum(-1), 1.0)
    assert not table.share[~table.exists].any()
    for residue in set(range(20)) - set(WITH_CHI):
        assert table.exists[residue].sum() == 1


@given(st.lists(st.floats(-10.0, 10.0), min_size=4, max_size=4), st.sampled_from(WITH_CHI))
def test_full_turns_and_symmetric_half_turns_change_no_state(chi: list[float], residue: int) -> None:
    angles = np.array([chi])
    state = rotamer_of(angles, residue)[0]
    assert 0 <= state < len(states(residue))
    # Away from a cell's edge, where rounding decides.
    near = [rotamer_of(angles + step, residue)[0] for step in (-1e-6, 1e-6)]
    if near != [state, state]:
        return
    assert rotamer_of(angles + 2 * np.pi, residue)[0] == state
    symmetric = CHI_SYMMETRIC.get(NAMES[residue])
    if symmetric is not None:
        angles[0, symmetric] += np.pi
        assert rotamer_of(angles, residue)[0] == state


def test_common_states_are_those_that_are_known() -> None:
    table = rotamer_table()
    leucine = NAMES.index("LEU")
    ways = np.degrees(table.chi[leucine, np.argsort(-table.share[leucine])[:2], :2]) % 360
    # mt and tp of the penultimate rotamer library (Lovell et al. 2000): (-65, 175) and (-177, 65).
    assert np.allclose(ways, [[295, 175], [183, 65]], atol=12)


def test_every_atom_has_a_kind_that_suits_its_element() -> None:
    for residue, atoms in enumerate(ATOM_SLOTS):
        for slot, atom in enumerate(atoms):
            kind = ATOM_TYPES[atom_type_table()[residue, slot]]
            element = "C" if kind == "CA" else kind.rsplit(" ", 1)[-1]
            assert element == atom[0], (NAMES[residue], atom, kind)
    assert (atom_type_pairs() == atom_type_pairs().T).all()
    assert len(np.unique(atom_type_pairs())) == len(ATOM_TYPES) * (len(ATOM_TYPES) + 1) // 2
