"""Bonds and bond angles of a system are those of its residues, and of the peptides between them."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.chem.bonds import intra_angles, intra_bonds
from latcpb_cli.chem.reference import peptide_reference, reference_angle, reference_length
from latcpb_cli.chem.residues import (
    C_SLOT,
    CA_SLOT,
    N_SLOT,
    N_SLOTS,
    O_SLOT,
    PRO,
    letter_index,
    slot_mask,
    slot_of,
)
from latcpb_cli.metrics.terms import angle_terms, bond_terms

SEQUENCE = "MPPGWCPFPAHIRT"
CD_SLOT = slot_of("PRO", "CD")
RINGS = np.array([1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 12, 13, 8])
"""The next residues of three cyclic chains."""


def incomplete(types):
    """Atoms of which a fifth is missing, and every OXT there."""
    present = slot_mask()[types] & (np.random.default_rng(1).random((len(types), N_SLOTS)) < 0.8)
    present[:, -1] = True
    return present


def peptide_bonds(prefix):
    return [((0, 1), (C_SLOT, N_SLOT), f"{prefix}C-N")]


def peptide_angles(prefix):
    angles = [
        ((0, 0, 1), (CA_SLOT, C_SLOT, N_SLOT), f"{prefix}CA-C-N"),
        ((0, 0, 1), (O_SLOT, C_SLOT, N_SLOT), f"{prefix}O-C-N"),
        ((0, 1, 1), (C_SLOT, N_SLOT, CA_SLOT), f"{prefix}C-N-CA"),
    ]
    return angles + ([((0, 1, 1), (C_SLOT, N_SLOT, CD_SLOT), "PRO C-N-CD")] if prefix else [])


@pytest.mark.parametrize("following", [None, RINGS], ids=["chains", "rings"])
@pytest.mark.parametrize(
    ("list_terms", "intra", "reference", "across"),
    [
        (bond_terms, intra_bonds(), reference_length(), peptide_bonds),
        (angle_terms, intra_angles(), reference_angle(), peptide_angles),
    ],
    ids=["bonds", "angles"],
)
def test_terms_are_those_of_each_residue_and_then_of_its_peptide(
    list_terms, intra, reference, across, following
):
    types = letter_index(SEQUENCE)
    present = incomplete(types)
    after = (np.arange(len(types)) + 1) % len(types) if following is None else following
    expected = []
    for i, residue_type in enumerate(types):
        expected += [
            ((i,) * len(slots), slots, reference[residue_type][slots], -1) for slots in intra[residue_type]
        ]
        for steps, slots, name in across("PRO " if types[after[i]] == PRO else ""):
            residues = tuple(int(after[i]) if step else i for step in steps)
            expected.append((residues, slots, peptide_reference()[name], i))
    expected = [row for row in expected if present[list(row[0]), list(row[1])].all()]
    terms = list_terms(types, present, following)
    for column, wanted in zip(vars(terms).values(), zip(*expected, strict=True), strict=True):
        np.testing.assert_array_equal(column, wanted)


def test_a_single_residue_has_no_peptide():
    types = letter_index("P")
    assert (bond_terms(types, slot_mask()[types]).link == -1).all()
    assert (angle_terms(types, slot_mask()[types]).link == -1).all()
