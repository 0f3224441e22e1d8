"""Densities and maps of torsions."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from latcpb_cli.html_report.distributions import chi_maps, ramachandran, torsion_densities


def columns(evaluation):
    return [evaluation.reference, *evaluation.methods]


def test_densities_hold_all_residues(evaluation):
    panels = torsion_densities(columns(evaluation), 0)
    assert [panel["name"] for panel in panels][:3] == ["phi", "psi", "chi1"]
    for panel in panels:
        for density in panel["columns"]:
            assert 5.0 * sum(density) == pytest.approx(100.0, abs=0.1)


def test_divergences_are_those_from_the_reference(evaluation):
    panel = torsion_densities(columns(evaluation), 0)[0]
    assert panel["js"] == [None, 0.0, 0.0]


def test_ramachandran_counts_and_points(evaluation):
    maps = ramachandran(columns(evaluation))
    total = sum(sum(counts.values()) for counts in maps["counts"][0])
    points = np.concatenate([np.reshape(points, (-1, 2)) for points in maps["points"][0]])
    assert len(points) == total
    assert np.abs(points).max() <= 180.0


def test_chi_maps_peak_where_the_rotamer_is(evaluation):
    panel_of_ile = next(panel for panel in chi_maps(columns(evaluation)) if panel["name"] == "ILE")
    entry = panel_of_ile["columns"][0]
    level = np.frombuffer(base64.b64decode(entry["map"]["data"]), dtype="u1").reshape(36, 36)
    # χ1 -65 and χ2 180 degrees, in bins of 10 degrees from 0.
    assert np.unravel_index(level.argmax(), level.shape) in [(29, 17), (29, 18)]
    inner, outer = entry["limits"]
    assert 255 >= inner >= outer > 0
