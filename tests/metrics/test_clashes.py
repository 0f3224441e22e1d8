"""Counting clashes: which pairs count, and which are bonded."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import build, structure

from latcpb_cli.chem.residues import CB_SLOT, CYS, NAMES, slot_of
from latcpb_cli.errors import InputError
from latcpb_cli.metrics.clashes import frame_clashes

EXTENDED = {"phi": -120.0, "psi": 130.0}


def two_atoms(first, second, distance, linked=False):
    """Clashes of two residues that have one atom each, like ``ALA CB``."""
    types, present = np.zeros(2, dtype=np.int64), np.zeros((2, 15), dtype=bool)
    atoms = np.zeros((1, 2, 15, 3), dtype=np.float32)
    for row, (name, atom) in enumerate((first.split(), second.split())):
        types[row] = NAMES.index(name)
        present[row, slot_of(name, atom)] = True
        atoms[0, row, slot_of(name, atom)] = (row * distance, 0, 0)
    return frame_clashes(types, atoms, present, np.array([[linked, False]]))[0]


@pytest.mark.parametrize(
    ("first", "second", "distance", "overlaps", "contact"),
    [
        ("ALA CB", "ALA CB", 3.05, 0, False),
        ("ALA CB", "ALA CB", 2.95, 1, False),
        ("ALA CB", "ALA CB", 1.15, 1, True),
        ("ALA CB", "ALA O", 2.85, 0, False),
        ("ALA CB", "ALA O", 2.80, 1, False),
        ("LYS NZ", "ASP OD1", 2.55, 0, False),
        ("LYS NZ", "ASP OD1", 2.45, 1, False),
        ("ASP OD1", "ASP OD1", 2.55, 0, False),
        ("LYS NZ", "LYS NZ", 2.45, 1, False),
        ("MET SD", "MET SD", 2.0, 0, False),
        ("CYS SG", "CYS SG", 1.85, 1, False),
        ("MET SD", "ALA CB", 3.05, 1, False),
    ],
)
def test_limits_of_each_pair_of_elements(first, second, distance, overlaps, contact):
    clashes = two_atoms(first, second, distance)
    assert clashes.n_overlaps == overlaps
    assert clashes.contact12.tolist() == [contact, contact]
    assert clashes.overlap04.tolist() == [overlaps, overlaps]


def test_percentages_and_the_worst_pair_of_a_frame():
    clashes = two_atoms("ALA CB", "ALA CB", 1.0)
    assert clashes.n_atoms == 2
    assert clashes.contact12_percent == 100.0
    assert clashes.overlap04_per_1000 == 500.0
    assert clashes.worst_overlap == pytest.approx(2.4)
    assert clashes.worst_pair == (0, 1)


def test_no_clash_has_no_worst_pair():
    clashes = two_atoms("ALA CB", "ALA CB", 9.0)
    assert (clashes.worst_overlap, clashes.worst_pair) == (0.0, (-1, -1))


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("ALA C", "ALA N", 1.1), ("ALA CA", "ALA CA", 2.9), ("ALA C", "PRO CD", 2.4), ("ALA CA", "PRO CD", 2.8)],
)
def test_atoms_up_to_three_bonds_across_a_peptide_are_left_out(first, second, distance):
    assert two_atoms(first, second, distance, linked=True).n_overlaps == 0
    assert two_atoms(first, second, distance, linked=False).n_overlaps == 1


def test_a_peptide_bond_is_no_contact_but_its_absence_is():
    assert not two_atoms("ALA C", "ALA N", 1.1, linked=True).contact12.any()
    assert two_atoms("ALA C", "ALA N", 1.1, linked=False).contact12.all()


def test_an_extended_peptide_has_no_overlaps():
    sample = structure("AGSTCPVILMADENQKRAHA", **EXTENDED)
    (clashes,) = frame_clashes(sample.trace.residue_types, sample.atoms, sample.present, sample.linked())
    assert clashes.n_overlaps == 0
    assert not clashes.contact12.any()


def cysteines(distance):
    """Two cysteines, mirror images through a point on their SG-SG axis."""
    (one,), present = build("C", phi=-120, psi=130)
    sg, cb = one[slot_of("CYS", "SG")], one[CB_SLOT]
    away = np.cross(sg - cb, [0.3, 0.5, 0.8])
    other = 2 * (sg + distance / 2 * away / np.linalg.norm(away)) - one
    atoms = np.stack([one, other])[None].astype(np.float32)
    types = np.full(2, CYS)
    return frame_clashes(types, atoms, np.repeat(present, 2, axis=0), np.zeros((1, 2), dtype=bool))[0]


def test_a_disulfide_counts_as_a_bond_and_shorter_distances_as_overlaps():
    assert cysteines(2.05).n_overlaps == 0
    assert cysteines(1.85).n_overlaps > 0


def test_counts_do_not_depend_on_orientation_and_on_other_frames():
    rng = np.random.default_rng(1)
    sample = structure("MKTAYIAKQRWF")
    crowded = sample.atoms + rng.normal(0, 0.4, sample.atoms.shape).astype(np.float32)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    frames = np.concatenate([crowded, crowded @ rotation.astype(np.float32) + 50.0, sample.atoms])
    linked = np.repeat(sample.linked(), 3, axis=0)
    first, turned, _ = frame_clashes(sample.trace.residue_types, frames, sample.present, linked)
    assert first.n_overlaps > 10
    assert turned.n_overlaps == first.n_overlaps
    assert np.array_equal(turned.overlap04, first.overlap04)
    assert turned.worst_overlap == pytest.approx(first.worst_overlap, abs=1e-4)


@pytest.mark.parametrize("box", [[20, 20, 20, 90, 90, 90], [20, 24, 22, 70, 80, 100]])
def test_clashes_across_the_border_of_the_box(box):
    types, present = np.zeros(2, dtype=np.int64), np.zeros((2, 15), dtype=bool)
    present[:, CB_SLOT] = True
    atoms = np.zeros((1, 2, 15, 3), dtype=np.float32)
    atoms[0, 0, CB_SLOT], atoms[0, 1, CB_SLOT] = (0.5, 3, 3), (60 - 0.5, 3, 3)
    linked = np.zeros((1, 2), dtype=bool)
    assert frame_clashes(types, atoms, present, linked)[0].n_overlaps == 0
    assert frame_clashes(types, atoms, present, linked, np.array([box], dtype=float))[0].n_overlaps == 1
    assert frame_clashes(types, atoms, present, linked, np.zeros((1, 6)))[0].n_overlaps == 0


def test_a_coordinate_that_is_no_number_is_an_error():
    sample = structure("AAA")
    sample.atoms[0, 1, CB_SLOT] = np.nan
    with pytest.raises(InputError, match="residue 2 of 3"):
        frame_clashes(sample.trace.residue_types, sample.atoms, sample.present, sample.linked())
