"""Torsions and divergences of their distributions."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from latcpb_cli.metrics.torsions import (
    HISTOGRAM_BINS,
    KL_ANGLES,
    TORSION_NAMES,
    divergences,
    measure_chis,
    measure_torsions,
    torsion_histograms,
)


def measure(sample, linked=None):
    linked = sample.linked() if linked is None else linked
    return measure_torsions(sample.trace.residue_types, sample.atoms, sample.present, linked)


def column(name):
    return TORSION_NAMES.index(name)


def test_measured_torsions_are_those_that_a_peptide_is_built_with():
    angles = np.degrees(measure(structure("AKRA", phi=-70, psi=140, omega=170, chi=(60, -170, 65, 90)))[0])
    assert angles[1:, column("phi")] == pytest.approx(-70, abs=1e-3)
    assert angles[:-1, column("psi")] == pytest.approx(140, abs=1e-3)
    assert angles[1:, column("omega")] == pytest.approx(170, abs=1e-3)
    assert angles[1, 3:] == pytest.approx([60, -170, 65, 90], abs=1e-3)


def test_chi_angles_can_be_left_out():
    sample = structure("AKRA")
    arguments = sample.trace.residue_types, sample.atoms, sample.present, sample.linked()
    backbone, everything = measure_torsions(*arguments, chis=False), measure_torsions(*arguments)
    first_chi = column("chi1")
    assert np.array_equal(backbone[..., :first_chi], everything[..., :first_chi], equal_nan=True)
    assert np.isnan(backbone[..., first_chi:]).all()


def test_torsions_that_do_not_exist_are_nan():
    sample = structure("AKA")
    angles = measure(sample, np.array([[True, False, False]]))[0]
    assert np.isnan(angles[0, column("phi")])
    assert np.isnan(angles[2, [column("phi"), column("omega")]]).all()
    assert np.isnan(angles[1, column("psi")])
    assert np.isnan(angles[0, column("chi1") :]).all()
    assert np.isfinite(angles[1, column("chi1") :]).all()


def test_a_missing_atom_leaves_out_its_torsions_only():
    sample = structure("AKA")
    sample.present[1, 6] = False  # CD of lysine
    angles = measure(sample)[0, 1]
    assert np.isfinite(angles[column("chi1")])
    assert np.isnan(angles[column("chi2") :]).all()
    chis = measure_chis(sample.trace.residue_types, sample.atoms, sample.present)
    assert np.array_equal(chis[0, 1], angles[column("chi1") :], equal_nan=True)


def test_histograms_count_every_angle_once_and_symmetric_ends_twice():
    sample = structure("AFA", chi=(-60, 80, 0, 0))
    types = sample.trace.residue_types
    counts = torsion_histograms(types, measure(sample))
    assert counts["phi"].sum() == counts["psi"].sum() == 2
    assert counts["chi1"][(180 - 60) // 5] == counts["chi1"].sum() == 1
    assert np.flatnonzero(counts["chi2"]).tolist() == [(180 - 100) // 5, (180 + 80) // 5]


def histograms(seed):
    rng = np.random.default_rng(seed)
    return {name: rng.poisson(20, HISTOGRAM_BINS) for name in KL_ANGLES}


def test_equal_histograms_have_no_divergence():
    result = divergences(histograms(0), histograms(0))
    assert all(value == 0.0 for table in result.values() for value in table.values())


def test_divergences_of_different_histograms():
    reference, generated = histograms(0), histograms(1)
    result, swapped = divergences(reference, generated), divergences(generated, reference)
    p, q = ((h["phi"] + 1) / (h["phi"] + 1).sum() for h in (generated, reference))
    assert result["kl"]["phi"] == pytest.approx(entropy(p, q))
    assert result["kl"]["phi"] != pytest.approx(swapped["kl"]["phi"], rel=1e-6)
    assert result["js"]["phi"] == pytest.approx(jensenshannon(p, q) ** 2)
    assert result["kl"]["mean"] == pytest.approx(np.mean([result["kl"][name] for name in KL_ANGLES]))


def test_angles_that_do_not_occur_are_left_out_of_the_mean():
    reference, generated = histograms(0), histograms(1)
    reference["chi4"] = np.zeros(HISTOGRAM_BINS, dtype=int)
    kl = divergences(reference, generated)["kl"]
    assert kl["chi4"] is None
    assert kl["mean"] == pytest.approx(np.mean([kl[name] for name in KL_ANGLES[:-1]]))
