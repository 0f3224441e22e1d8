"""Rotamers: every conformation has exactly one, which its chi angles determine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latcpb_cli.chem.residues import CHI_SYMMETRIC, LEU, NAMES
from latcpb_cli.chem.rotamers import N_ROTAMERS, rotamer_index, rotamer_indices, rotamer_states, rotamer_table
from latcpb_cli.chem.zmatrix import chi_mask

WITH_CHI = [residue for residue in range(20) if chi_mask()[residue].any()]


@pytest.mark.parametrize("residue", WITH_CHI)
def test_mean_chi_angles_lie_in_the_cells_of_their_rotamer(residue: int) -> None:
    table = rotamer_table()
    count = len(rotamer_states(residue))
    assert table.exists[residue].sum() == count <= N_ROTAMERS
    assert (rotamer_index(table.chi[residue, :count], residue) == np.arange(count)).all()


def test_probabilities_add_up_and_types_without_chi_angles_have_one_rotamer() -> None:
    table = rotamer_table()
    assert np.allclose(table.probability.sum(-1), 1.0)
    assert not table.probability[~table.exists].any()
    for residue in set(range(20)) - set(WITH_CHI):
        assert table.exists[residue].sum() == 1


@given(st.lists(st.floats(-10.0, 10.0), min_size=4, max_size=4), st.sampled_from(WITH_CHI))
def test_full_turns_and_half_turns_of_symmetric_ends_keep_the_rotamer(chi: list[float], residue: int) -> None:
    angles = np.array([chi])
    rotamer = rotamer_index(angles, residue)[0]
    assert 0 <= rotamer < len(rotamer_states(residue))
    # At the edge of a cell rounding decides.
    nearby = [rotamer_index(angles + step, residue)[0] for step in (-1e-6, 1e-6)]
    if nearby != [rotamer, rotamer]:
        return
    assert rotamer_index(angles + 2 * np.pi, residue)[0] == rotamer
    symmetric = CHI_SYMMETRIC.get(NAMES[residue])
    if symmetric is not None:
        angles[0, symmetric] += np.pi
        assert rotamer_index(angles, residue)[0] == rotamer


def test_residues_of_several_types_have_the_rotamers_of_each_type() -> None:
    types = np.array([WITH_CHI[0], WITH_CHI[-1], WITH_CHI[0], WITH_CHI[3]])
    states = np.array([[0, 1, 2, 1], [2, 0, 1, 0]])
    chi = rotamer_table().chi[types, states]
    assert (rotamer_indices(chi, types) == states).all()


def test_the_two_commonest_rotamers_of_leucine_are_those_of_the_literature() -> None:
    table = rotamer_table()
    commonest = np.argsort(-table.probability[LEU])[:2]
    # mt and tp of the penultimate rotamer library (Lovell et al. 2000): (-65, 175) and (-177, 65).
    assert np.allclose(np.degrees(table.chi[LEU, commonest, :2]) % 360, [[295, 175], [183, 65]], atol=12)
