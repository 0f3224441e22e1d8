"""Maps and points of torsions."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.evaluation import torsion_counts
from latcpb_cli.evaluation.torsion_counts import TorsionCounts, join_statistics
from latcpb_cli.metrics.torsions import measure_torsions


def counted(sample, n_frames=1, at_once=1):
    types = sample.trace.residue_types
    counts = TorsionCounts(types, np.r_[types[1:] == 14, False], n_frames)
    torsions = measure_torsions(types, sample.atoms, sample.present, sample.linked())
    for _ in range(n_frames // at_once):
        counts.add(np.repeat(torsions, at_once, axis=0))
    return counts.statistics()


SAMPLE = structure("MKGPLFAV", phi=-65, psi=-42, chi=(-63, 177, 178, 179))


def test_maps_by_class_and_residue_type():
    statistics = counted(SAMPLE)
    assert statistics.ramachandran_maps.sum(axis=(1, 2)).tolist() == [4, 1, 1, 0]
    phi, psi = (int((angle + 180) // 4) for angle in (-65, -42))
    assert statistics.ramachandran_maps[0, phi, psi] == 4
    assert statistics.chi_maps["LEU"][(180 - 63) // 5, (180 + 177) // 5] == 1
    assert statistics.chi_maps["PHE"].sum() == 2, "its ring looks the same after half a turn"
    assert "VAL" not in statistics.chi_maps


def test_points_are_bounded_and_do_not_depend_on_pieces(monkeypatch):
    monkeypatch.setattr(torsion_counts, "MAX_POINTS", 100)
    one, many = (counted(SAMPLE, 60, at_once).ramachandran_points for at_once in (1, 20))
    total = sum(map(len, one.values()))
    assert 40 < total < 160
    assert all(np.array_equal(one[name], many[name]) for name in one)


def test_joining_adds_up():
    one = counted(SAMPLE)
    two = join_statistics([one, one])
    assert (two.ramachandran_maps == 2 * one.ramachandran_maps).all()
    assert two.histograms["phi"].sum() == 2 * one.histograms["phi"].sum()
    assert two.chi_maps["LEU"].sum() == 2
    assert len(two.ramachandran_points["general"]) == 2 * len(one.ramachandran_points["general"])
    assert one.ramachandran_points["general"][0] == pytest.approx(np.radians([-65, -42]), abs=1e-3)
