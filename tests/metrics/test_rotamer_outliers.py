"""Rotamers that hardly any structure has."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.metrics.count import count_where
from latcpb_cli.metrics.rotamer_outliers import check_rotamers
from latcpb_cli.metrics.torsions import measure_torsions


def count(sequence, **torsions):
    sample = structure(sequence, **torsions)
    types = sample.trace.residue_types
    measured = measure_torsions(types, sample.atoms, sample.present, sample.linked())
    return count_where(*check_rotamers(types, measured[..., 3:]))


@pytest.mark.parametrize(
    ("chi", "outliers"),
    [((-65, 175, 0, 0), 0), ((180, 65, 0, 0), 0), ((60, -60, 0, 0), 1)],
    ids=["mt", "tp", "pm"],
)
def test_rotamers_of_leucine(chi, outliers):
    assert count("ALA", chi=chi) == (outliers, 1)


def test_residues_without_all_their_chi_are_no_case():
    sample = structure("ALA")
    types = sample.trace.residue_types
    chi = np.full((1, 3, 4), np.nan)
    chi[0, 1, 0] = 1.0
    assert count_where(*check_rotamers(types, chi)) == (0, 0)
