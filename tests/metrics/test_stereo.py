"""Geometry checks on peptides whose faults are known."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import build, structure

from latcpb_cli.chem.residues import NAMES
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.metrics.count import Count
from latcpb_cli.metrics.piercing import pierced_rings, rings_of
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.metrics.terms import bond_terms

ALL = "ARNDCQEGHILKMFPSTWYVA"


def counts(sample, linked=None):
    trace = sample.trace
    checker = StereoChecker(trace.residue_types, sample.present, trace.chain_index)
    return checker.count(sample.atoms, sample.linked() if linked is None else linked)


def test_ideal_peptide_has_no_fault():
    found = counts(structure(ALL))
    for name in ("bonds", "peptide_bonds", "angles", "omega", "d_residues", "inverted_cb", "pierced_rings"):
        assert found[name].hits == 0, name
        assert found[name].total > 0, name
    assert found["ramachandran_favoured"].hits == found["ramachandran_favoured"].total == 19
    assert found["chi1_outliers"].hits == 0


def test_every_bond_and_angle_is_looked_at():
    found = counts(structure("GAG"))
    # 4 bonds of Ala within, 3 of each Gly, OXT and two peptides.
    assert found["bonds"].total == 4 + 3 + 3 + 1 + 2
    # Ala N-CA-C N-CA-CB C-CA-CB CA-C-O, Gly two each, two with OXT, three at each peptide.
    assert found["angles"].total == 4 + 2 + 2 + 2 + 6
    assert found["n_ca_c"].total == 3


def test_an_opened_n_ca_c_is_counted_by_name():
    sample = structure("GGG")
    ca, c = sample.atoms[0, 1, 1], sample.atoms[0, 1, 2]
    assert counts(sample)["n_ca_c"].hits == 0
    # C beside where it was: N-CA-C, CA-C-O and the angles of the next peptide change, no other N-CA-C.
    across = np.cross(c - ca, sample.atoms[0, 1, 0] - ca)
    sample.atoms[0, 1, 2] += 0.9 * np.cross(across, c - ca) / np.linalg.norm(np.cross(across, c - ca))
    assert counts(sample)["n_ca_c"] == Count(1, 3)


def test_mirror_image_is_all_d_residues():
    sample = structure(ALL)
    sample.atoms[..., 0] *= -1
    found = counts(sample)
    assert found["d_residues"] == Count(20, 20)
    assert found["inverted_cb"] == Count(2, 2)
    assert found["bonds"].hits == found["angles"].hits == 0


def test_one_exchanged_branch_inverts_only_that_cb():
    sample = structure("AIA")
    sample.atoms[0, 1, [5, 6]] = sample.atoms[0, 1, [6, 5]]
    found = counts(sample)
    assert found["inverted_cb"] == Count(1, 1)
    assert found["d_residues"].hits == 0


@pytest.mark.parametrize(("shift", "hits"), [(0.05, 0), (0.2, 1)])
def test_stretched_peptide_bond(shift, hits):
    sample = structure("AA", phi=-120, psi=130)
    bond = sample.atoms[0, 1, 0] - sample.atoms[0, 0, 2]
    sample.atoms[0, 1] += shift * bond / np.linalg.norm(bond)
    found = counts(sample, np.array([[True, False]]))
    assert found["peptide_bonds"] == Count(hits, 1)
    assert found["bonds"].hits == hits


def test_a_break_has_no_peptide_bond():
    sample = structure("AA")
    sample.atoms[0, 1] += 10.0
    assert counts(sample)["peptide_bonds"].total == 0


@pytest.mark.parametrize(
    ("omega", "non_proline", "proline", "twisted"), [(180, 0, 0, 0), (0, 2, 1, 0), (140, 0, 0, 3)]
)
def test_cis_and_twisted_peptides(omega, non_proline, proline, twisted):
    found = counts(structure("AAPA", phi=-120, psi=130, omega=omega))
    assert found["cis_non_proline"] == Count(non_proline, 2)
    assert found["cis_proline"] == Count(proline, 1)
    assert found["omega"] == Count(twisted, 3)


@pytest.mark.parametrize(
    ("residue", "phi", "psi", "favoured", "outlier"),
    [
        ("A", -65, -40, 1, 0),
        ("A", -120, 130, 1, 0),
        ("A", 5, 5, 0, 1),
        ("A", 90, 0, 0, 0),
        ("G", 85, 5, 1, 0),
        ("P", -65, 145, 1, 0),
        ("P", -120, 130, 0, 1),
    ],
)
def test_ramachandran_regions(residue, phi, psi, favoured, outlier):
    found = counts(structure(f"A{residue}A", phi=phi, psi=psi))
    assert found["ramachandran_favoured"] == Count(favoured, 1)
    assert found["ramachandran_outliers"] == Count(outlier, 1)


@pytest.mark.parametrize(("chi1", "hits"), [(-60, 0), (-95, 0), (175, 0), (120, 1), (0, 1)])
def test_chi1_wells(chi1, hits):
    assert counts(structure("L", chi=(chi1, 180, 180, 180)))["chi1_outliers"] == Count(hits, 1)


def threaded(ring_residue, shift):
    """A CA-CB bond of an alanine set upright on the middle of a ring, moved along the plane."""
    atoms, present = build(f"{ring_residue}A")
    types = np.array([NAMES.index(ring_residue_name(ring_residue)), NAMES.index("ALA")])
    present[1] = False
    present[1, [1, 4]] = True
    _, slots = rings_of(types, present)
    corners = atoms[0, slots[0]]
    middle, along = corners.mean(axis=0), corners[0] - corners[2]
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    normal *= 0.75 / np.linalg.norm(normal)
    middle = middle + shift * along / np.linalg.norm(along)
    atoms[1, 1], atoms[1, 4] = middle - normal, middle + normal
    bonds = bond_terms(types, present)
    return pierced_rings(rings_of(types, present), bonds, atoms, np.zeros(2, dtype=bool))


def ring_residue_name(letter):
    return {"F": "PHE", "Y": "TYR", "W": "TRP", "H": "HIS", "P": "PRO"}[letter]


@pytest.mark.parametrize("letter", "FYWHP")
def test_a_bond_through_a_ring_is_found(letter):
    hits = threaded(letter, 0.0)
    assert hits[0].tolist() == [0, 0, 1]
    assert len(threaded(letter, 2.5)) == 0 or letter == "W"


def test_rings_of_a_real_chain_are_not_pierced_by_their_own_residue():
    assert counts(structure("FPWYHPAFW", phi=-120, psi=130))["pierced_rings"].hits == 0


@pytest.mark.parametrize("box", [[30, 30, 30, 90, 90, 90], [30, 32, 34, 75, 100, 80]])
def test_rings_are_pierced_by_images_too(box):
    """The bond stands in the ring of another image of its residue."""
    cell = box_vectors(np.array([box], dtype=float))[0]
    atoms, present = build("FA")
    types = np.array([NAMES.index("PHE"), NAMES.index("ALA")])
    present[1] = False
    present[1, [1, 4]] = True
    rings = rings_of(types, present)
    corners = atoms[0, rings[1][0]]
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    normal *= 0.75 / np.linalg.norm(normal)
    away = cell[0] - 2 * cell[1] + cell[2]
    atoms[1, 1], atoms[1, 4] = corners.mean(axis=0) - normal + away, corners.mean(axis=0) + normal + away
    ends = rings, bond_terms(types, present), atoms, np.zeros(2, dtype=bool)
    assert len(pierced_rings(*ends)) == 0
    assert pierced_rings(*ends, cell)[:, 1:].tolist() == [[0, 1]]
