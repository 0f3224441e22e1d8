"""Sums over the distances that Cα have moved."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.run.displacement import CaDisplacement


def frame(distances: list[float], built: list[bool]) -> CaDisplacement:
    return CaDisplacement.from_distances(np.where(built, distances, np.nan))


def test_only_residues_that_were_built_count():
    moved = frame([0.0, 0.25, 0.5, 8.0], [True, True, True, False])
    assert moved == CaDisplacement(n_beads=3, n_moved=2, total=0.75, max=0.5)
    assert moved.summary() == {"percent": 66.67, "mean": 0.25, "max": 0.5}


def test_frames_add_up():
    both = frame([0.5], [True]).plus(frame([0.0, 0.25], [True, True]))
    assert both == CaDisplacement(n_beads=3, n_moved=2, total=0.75, max=0.5)


def test_nothing_built_is_no_division_by_zero():
    assert frame([1.0], [False]).summary() == {"percent": 0.0, "mean": 0.0, "max": 0.0}
    assert CaDisplacement().plus(frame([1.0], [True])).max == pytest.approx(1.0)
