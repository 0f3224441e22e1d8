"""How far recomputed centres of mass are from the beads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.run.bead_distances import bead_distances, bead_rows
from latcpb_cli.run.displacement import CaDisplacement
from latcpb_cli.structure import FrameChunk

NATIVE = structure("MGSWTY")


def chunk(positions: np.ndarray, beads: np.ndarray | None = None) -> FrameChunk:
    return FrameChunk(positions, np.zeros(1), np.zeros((1, 6), np.float32), np.arange(1), beads=beads)


def test_distances_are_those_of_built_centres() -> None:
    trace = replace(NATIVE.trace, com_beads=np.array([1, 1, 0, 1, 1, 1], dtype=bool))
    atoms = NATIVE.atoms[:, None]
    missing = np.array([[[0, 0, 0, 1, 0, 0]]], dtype=bool)
    origin = np.zeros((1, 6, 3), np.float32)
    distances = bead_distances(trace, chunk(origin, origin), atoms, missing)
    centers, ca = distances["com"][0, 0], distances["ca"][0, 0]
    assert np.isnan(centers[[2, 3]]).all() and np.isnan(ca[[0, 1, 3, 4, 5]]).all()
    assert ca[2] == pytest.approx(np.linalg.norm(NATIVE.atoms[0, 2, 1]), abs=1e-4)
    glycine = [14.007, 12.011, 12.011, 15.999] @ NATIVE.atoms[0, 1, :4] / (14.007 + 2 * 12.011 + 15.999)
    assert centers[1] == pytest.approx(np.linalg.norm(glycine), abs=1e-4)
    (row,) = bead_rows(trace, distances)
    assert row["worst_com"] == trace.labels[np.nanargmax(centers)]
    assert row["com_distance_mean"] == pytest.approx(np.nanmean(centers), abs=1e-3)
    assert row["com_distance_max"] == pytest.approx(np.nanmax(centers), abs=1e-3)
    assert row["worst_ca"] == trace.labels[2]


def test_side_chains_and_kept_ca_have_their_own_columns() -> None:
    """Of the beads of alanine, glycine and serine: CB, none, and one that is unknown."""
    native = structure("AGS")
    trace = replace(native.trace, side_chain_center="mass")
    beads = native.atoms[:, :, 4] + np.array([0.3, 0.0, 0.4], np.float32)
    beads[0, 2] = np.nan
    atoms, missing = native.atoms[:, None], np.zeros((1, 1, 3), dtype=bool)
    distances = bead_distances(trace, chunk(native.atoms[:, :, 1], beads), atoms, missing)
    np.testing.assert_allclose(distances["sc"][0, 0], [0.5, np.nan, np.nan], atol=1e-4)
    (row,) = bead_rows(trace, distances)
    assert (row["ca_distance_mean"], row["ca_distance_max"], row["sc_distance_max"]) == (0.0, 0.0, 0.5)
    assert row["worst_sc"] == trace.labels[0] and "worst_ca" not in row


def test_frames_add_up() -> None:
    one = CaDisplacement().with_centers(np.array([0.1, np.nan, 0.3]))
    both = one.plus(CaDisplacement().with_centers(np.array([0.5])))
    assert both.center_summary() == {"mean": 0.3, "max": 0.5}
    assert bead_rows(NATIVE.trace, {"com": np.full((1, 1, 6), np.nan)}) == [{}]
