"""How far recomputed centres of mass are from the beads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cg_files import walk
from peptides import structure

from latcpb_cli.run.bead_distances import bead_rows, center_distances
from latcpb_cli.run.displacement import CaDisplacement
from latcpb_cli.structure import FrameChunk

NATIVE = structure("MGSWTY")


def test_distances_are_those_of_built_centres() -> None:
    trace = replace(NATIVE.trace, com_beads=np.array([1, 1, 0, 1, 1, 1], dtype=bool))
    atoms = NATIVE.atoms[:, None]
    missing = np.array([[[0, 0, 0, 1, 0, 0]]], dtype=bool)
    chunk = FrameChunk(walk(6), np.zeros(1), np.zeros((1, 6), np.float32), np.arange(1))
    centers = center_distances(trace, replace(chunk, beads=np.zeros((1, 6, 3), np.float32)), atoms, missing)
    assert np.isnan(centers[0, 0, [2, 3]]).all()
    glycine = [14.007, 12.011, 12.011, 15.999] @ NATIVE.atoms[0, 1, :4] / (14.007 + 2 * 12.011 + 15.999)
    assert centers[0, 0, 1] == pytest.approx(np.linalg.norm(glycine), abs=1e-4)
    (row,) = bead_rows(trace, centers)
    worst = int(np.nanargmax(centers))
    assert row["worst_bead"] == trace.label(worst)
    assert row["bead_distance_mean"] == pytest.approx(np.nanmean(centers), abs=1e-3)
    assert row["bead_distance_max"] == pytest.approx(np.nanmax(centers), abs=1e-3)


def test_frames_add_up() -> None:
    one = CaDisplacement().with_centers(np.array([0.1, np.nan, 0.3]))
    both = one.plus(CaDisplacement().with_centers(np.array([0.5])))
    assert both.center_summary() == {"mean": 0.3, "max": 0.5}
    assert bead_rows(NATIVE.trace, np.full((1, 1, 6), np.nan)) == [{}]
