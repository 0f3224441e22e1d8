"""RMSD, chi accuracy and bond graphs."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.chem.residues import CB_SLOT, NAMES, OXT_SLOT, SWAPS, slot_of
from latcpb_cli.metrics.accuracy import (
    ATOM_SETS,
    chi_checks,
    cis_check,
    inner_residues,
    rmsd,
    squared_deviation,
)
from latcpb_cli.metrics.count import count_where
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions


def deviation(one, two, which="all_heavy", residues=None):
    squares = squared_deviation(one.trace.residue_types, one.atoms, two.atoms, one.present)
    residues = np.ones(squares.shape[:2], dtype=bool) if residues is None else residues
    return rmsd(squares, one.present, residues, ATOM_SETS[which])


def swapped(sample, index):
    """The same peptide with the two names of each symmetric pair exchanged."""
    atoms = sample.atoms.copy()
    name = NAMES[sample.trace.residue_types[index]]
    for pair in SWAPS[name]:
        a, b = (slot_of(name, atom) for atom in pair)
        atoms[:, index, [a, b]] = atoms[:, index, [b, a]]
    return structure(sample.trace.sequence, frames=atoms)


@pytest.mark.parametrize("letter", "DEFYR")
def test_exchanged_names_of_a_symmetric_group_are_no_error(letter):
    sample = structure(f"A{letter}A")
    assert deviation(sample, swapped(sample, 1)) == pytest.approx([0.0])


def test_exchanged_names_of_leucine_are_an_error():
    sample = structure("ALA")
    atoms = sample.atoms.copy()
    atoms[:, 1, [6, 7]] = atoms[:, 1, [7, 6]]
    assert deviation(sample, structure("ALA", frames=atoms))[0] > 0.1


def test_rings_are_turned_as_a_whole():
    sample = structure("AFA")
    atoms = sample.atoms.copy()
    atoms[:, 1, [6, 7]] = atoms[:, 1, [7, 6]]  # CD1 and CD2 only: CE1 and CE2 are left behind
    assert deviation(sample, structure("AFA", frames=atoms))[0] > 0.5


def test_no_superposition_and_the_sets_of_atoms():
    sample = structure("AKDFA")
    moved = structure("AKDFA", frames=sample.atoms + np.float32([0, 0, 2]))
    for name in ATOM_SETS:
        assert deviation(sample, moved, name) == pytest.approx([2.0])
    atoms = sample.atoms.copy()
    atoms[:, :, CB_SLOT:OXT_SLOT] += 3.0
    moved = structure("AKDFA", frames=atoms)
    assert deviation(sample, moved, "backbone") == pytest.approx([0.0])
    assert deviation(sample, moved, "side_chain") == pytest.approx([np.sqrt(27)])


def test_a_lone_partner_of_a_symmetric_pair_is_not_exchanged():
    sample = structure("ADA")
    sample.present[1, slot_of("ASP", "OD2")] = False
    assert deviation(sample, swapped(sample, 1))[0] > 0.3


def test_inner_residues_have_a_peptide_on_both_sides():
    linked = np.array([[True, True, False, True, True, False]])
    assert inner_residues(linked).tolist() == [[False, True, False, False, True, False]]


def test_frames_without_a_chosen_atom_have_no_rmsd():
    sample = structure("AA")
    assert np.isnan(deviation(sample, sample, residues=np.zeros((1, 2), dtype=bool))).all()


def chi_torsions(chi, sequence="ALFDA"):
    sample = structure(sequence, chi=chi)
    return measure_torsions(sample.trace.residue_types, sample.atoms, sample.present, sample.linked())


@pytest.mark.parametrize(
    ("generated", "chi1", "both"),
    [
        ((-60, 170, 0, 0), 3, 3),
        ((-25, 170, 0, 0), 3, 3),
        ((-15, 170, 0, 0), 0, 0),
        ((-60, -10, 0, 0), 3, 2),  # half a turn: the same for Phe and Asp, another for Leu
        ((-60, 90, 0, 0), 3, 0),
    ],
)
def test_chi_accuracy(generated, chi1, both):
    types, reference = structure("ALFDA").trace.residue_types, chi_torsions((-60, 170, 0, 0))
    checks = chi_checks(types, reference, chi_torsions(generated))
    assert [count_where(*checks[name]) for name in ("chi1", "chi1_chi2")] == [(chi1, 3), (both, 3)]


def test_chi_accuracy_leaves_proline_out():
    types, torsions = structure("APLPA").trace.residue_types, chi_torsions((-60, 170, 0, 0), "APLPA")
    proline = torsions[0, 1, TORSION_NAMES.index("chi1") :][:2]
    assert np.isfinite(proline).all()
    checks = chi_checks(types, torsions, torsions)
    assert [count_where(*check) for check in checks.values()] == [(1, 1), (1, 1)]


def test_cis_peptides_that_stay_cis():
    omega = (180, 0, 0, 180)
    reference, generated = (
        measure_torsions(s.trace.residue_types, s.atoms, s.present, s.linked())
        for s in (structure("AAPA", omega=omega), structure("AAPA", omega=(180, 180, 0, 180)))
    )
    assert count_where(*cis_check(reference, reference)) == (2, 2)
    assert count_where(*cis_check(reference, generated)) == (1, 2)
