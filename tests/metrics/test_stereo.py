"""Geometry checks on peptides whose faults are known."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, GAMMA_SLOT, LETTERS, N_SLOT
from latcpb_cli.metrics.count import Count
from latcpb_cli.metrics.stereo import StereoChecker

SEQUENCE = LETTERS + "A"


def counts(sample, linked=None):
    trace = sample.trace
    checker = StereoChecker(trace.residue_types, sample.present, trace.chain_index)
    return checker.count(sample.atoms, sample.linked() if linked is None else linked)


def test_an_ideal_peptide_has_no_defect():
    result = counts(structure(SEQUENCE))
    for name in ("bonds", "peptide_bonds", "angles", "omega", "d_residues", "inverted_cb", "pierced_rings"):
        assert result[name].hits == 0, name
        assert result[name].total > 0, name
    assert result["ramachandran_favoured"].hits == result["ramachandran_favoured"].total == 19
    assert result["chi1_outliers"].hits == 0


def test_every_bond_and_angle_is_counted():
    result = counts(structure("GAG"))
    # 4 bonds of Ala within, 3 of each Gly, OXT and two peptides.
    assert result["bonds"].total == 4 + 3 + 3 + 1 + 2
    # Ala N-CA-C N-CA-CB C-CA-CB CA-C-O, Gly two each, two with OXT, three at each peptide.
    assert result["angles"].total == 4 + 2 + 2 + 2 + 6
    assert result["n_ca_c"].total == 3


def test_an_opened_n_ca_c_is_counted_by_name():
    sample = structure("GGG")
    n, ca, c = (sample.atoms[0, 1, slot] for slot in (N_SLOT, CA_SLOT, C_SLOT))
    assert counts(sample)["n_ca_c"].hits == 0
    # Moving C changes N-CA-C of this residue, CA-C-O and the angles of the next peptide, no other N-CA-C.
    across = np.cross(c - ca, n - ca)
    sample.atoms[0, 1, C_SLOT] += 0.9 * np.cross(across, c - ca) / np.linalg.norm(np.cross(across, c - ca))
    assert counts(sample)["n_ca_c"] == Count(1, 3)


def test_a_mirror_image_consists_of_d_residues():
    sample = structure(SEQUENCE)
    sample.atoms[..., 0] *= -1
    result = counts(sample)
    assert result["d_residues"] == Count(20, 20)
    assert result["inverted_cb"] == Count(2, 2)
    assert result["bonds"].hits == result["angles"].hits == 0


def test_exchanged_branches_invert_only_that_cb():
    sample = structure("AIA")
    branches = [GAMMA_SLOT, GAMMA_SLOT + 1]
    sample.atoms[0, 1, branches] = sample.atoms[0, 1, branches[::-1]]
    result = counts(sample)
    assert result["inverted_cb"] == Count(1, 1)
    assert result["d_residues"].hits == 0


@pytest.mark.parametrize(("shift", "hits"), [(0.05, 0), (0.2, 1)])
def test_a_stretched_peptide_bond_is_counted(shift, hits):
    sample = structure("AA", phi=-120, psi=130)
    bond = sample.atoms[0, 1, N_SLOT] - sample.atoms[0, 0, C_SLOT]
    sample.atoms[0, 1] += shift * bond / np.linalg.norm(bond)
    result = counts(sample, np.array([[True, False]]))
    assert result["peptide_bonds"] == Count(hits, 1)
    assert result["bonds"].hits == hits


def test_a_break_has_no_peptide_bond():
    sample = structure("AA")
    sample.atoms[0, 1] += 10.0
    assert counts(sample)["peptide_bonds"].total == 0


@pytest.mark.parametrize(
    ("omega", "non_proline", "proline", "twisted"), [(180, 0, 0, 0), (0, 2, 1, 0), (140, 0, 0, 3)]
)
def test_cis_and_twisted_peptides(omega, non_proline, proline, twisted):
    result = counts(structure("AAPA", phi=-120, psi=130, omega=omega))
    assert result["cis_non_proline"] == Count(non_proline, 2)
    assert result["cis_proline"] == Count(proline, 1)
    assert result["omega"] == Count(twisted, 3)


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
    result = counts(structure(f"A{residue}A", phi=phi, psi=psi))
    assert result["ramachandran_favoured"] == Count(favoured, 1)
    assert result["ramachandran_outliers"] == Count(outlier, 1)


@pytest.mark.parametrize(("chi1", "hits"), [(-60, 0), (-95, 0), (175, 0), (120, 1), (0, 1)])
def test_chi1_wells(chi1, hits):
    assert counts(structure("L", chi=(chi1, 180, 180, 180)))["chi1_outliers"] == Count(hits, 1)


def test_rings_are_not_pierced_by_their_own_residue_and_its_neighbours():
    assert counts(structure("FPWYHPAFW", phi=-120, psi=130))["pierced_rings"].hits == 0
