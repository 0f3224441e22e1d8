"""Radius of gyration and distance between ends."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.metrics.shape import end_to_end, radius_of_gyration


def test_radius_of_two_atoms_is_weighted_by_mass():
    sample = structure("G")
    present = np.zeros((1, 15), dtype=bool)
    present[0, [1, 3]] = True  # CA and O
    atoms = np.zeros((1, 1, 15, 3), dtype=np.float32)
    atoms[0, 0, 3, 0] = 2.0
    carbon, oxygen = 12.011, 15.999
    expected = 2.0 * np.sqrt(carbon * oxygen) / (carbon + oxygen)
    assert radius_of_gyration(sample.trace.residue_types, atoms, present) == pytest.approx(expected)


def test_radius_of_mdanalysis(tmp_path):
    mda = pytest.importorskip("MDAnalysis")
    from peptides import pdb_text

    sample = structure("MKTAYIAPQRDFEWGV")
    (tmp_path / "a.pdb").write_text(pdb_text(sample))
    expected = mda.Universe(str(tmp_path / "a.pdb")).atoms.radius_of_gyration()
    own = radius_of_gyration(sample.trace.residue_types, sample.atoms, sample.present)
    assert own == pytest.approx(expected, rel=1e-4)


def test_ends_of_several_chains():
    atoms = np.zeros((1, 4, 15, 3), dtype=np.float32)
    atoms[0, :, 1, 0] = [0, 3, 100, 105]
    assert end_to_end(np.array([0, 0, 1, 1]), atoms) == pytest.approx(4.0)
