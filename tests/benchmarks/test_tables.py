"""Chains pooled into rows, with missing atoms counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure
from tables import Row, compare


@pytest.fixture
def native():
    return structure("MKTAYIPFG")


def without(native, residues):
    """The native without the atoms of some residues, as `read_back` returns it."""
    partial = replace(native, atoms=native.atoms.copy(), present=native.present.copy())
    partial.present[residues] = False
    atoms = np.where(partial.present[None, :, :, None], partial.atoms, 0.0)
    atoms[:, :, 1] = native.atoms[:, :, 1]
    return replace(partial, atoms=atoms)


def test_the_native_against_itself(native):
    figures = Row([compare(native, native)]).figures()
    assert figures["all_heavy"] == figures["kl_mean"] == figures["missing_atoms_percent"] == 0.0
    assert figures["chi1"] == 100.0
    assert figures["cis_kept_percent"] is None, "there is no cis peptide that could be kept"
    assert figures["div"] is None


def test_missing_atoms_are_counted_and_move_nothing_else(native):
    figures = Row([compare(native, without(native, [2, 4]))]).figures()
    inner = native.present[1:-1].sum()
    assert figures["missing_atoms_percent"] == pytest.approx(100 * native.present[[2, 4]].sum() / inner)
    assert figures["all_heavy"] == figures["kl_mean"] == figures["bonds_percent"] == 0.0
    assert figures["chi1"] == 100.0


def test_intervals_are_those_of_chains(native):
    other = structure("MKTAYIPFG", psi=120)
    rows = {count: Row([compare(native, built) for built in (native, other)[:count]]) for count in (1, 2)}
    assert rows[1].intervals() == {}
    figures, intervals = rows[2].figures(), rows[2].intervals()
    assert intervals["side_chain"][0] == 0.0 < figures["side_chain"] < intervals["side_chain"][1]
    assert intervals["packbench_rmsd"] == pytest.approx((0.0, 2 * figures["packbench_rmsd"]))


def test_missing_ends_are_not_inner_atoms(native):
    assert compare(native, without(native, [0, 8])).missing == 0


def test_percentages_are_pooled_and_counts_are_per_sample(native):
    mirrored = native.atoms * np.array([-1, 1, 1], dtype=np.float32)
    two = replace(native, atoms=np.concatenate([native.atoms, mirrored]))
    row = Row([compare(native, native), compare(native, two, samples=2)])
    figures = row.figures()
    assert figures["d_residues"] == pytest.approx(8 / 2)
    assert figures["ramachandran_outliers"] > 0
    assert figures["pairwise_side_chain"] > 1


def test_torsions_of_each_sample_are_compared_by_themselves(native):
    other = structure("MKTAYIPFG", psi=120)
    both = replace(native, atoms=np.concatenate([native.atoms, other.atoms]))
    alone, together = (
        Row([compare(native, built, samples)]).figures()["kl_psi"]
        for built, samples in ((other, 1), (both, 2))
    )
    assert alone > 0.1
    assert together == pytest.approx(alone / 2)
