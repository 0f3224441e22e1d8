"""Counts of inverted centres and isomerised peptides."""

from __future__ import annotations

import numpy as np
from peptides import build, structure

from latcpb_cli.md.changes import count_inverted_centers, count_isomerized_peptides


def test_inverted_centers_are_counted():
    built = structure("GITV")
    mirrored = built.atoms[0] * np.array([-1.0, 1, 1])
    types = built.trace.residue_types
    assert count_inverted_centers(types, built.atoms[0], built.atoms[0]) == 0
    # Three Cα, and Cβ of Ile and Thr.
    assert count_inverted_centers(types, built.atoms[0], mirrored) == 5


def test_isomerized_peptides_are_counted():
    trans, cis = (build("GAPG", omega=[180.0, omega, 180.0, 180.0])[0] for omega in (180.0, 0.0))
    linked = np.array([True, True, True, False])
    assert count_isomerized_peptides(trans, cis, linked) == 1
    assert count_isomerized_peptides(trans, trans, linked) == 0
    assert count_isomerized_peptides(trans, cis, np.zeros(4, dtype=bool)) == 0
