"""Differences between the samples of one frame."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.metrics.accuracy import ATOM_SETS
from latcpb_cli.metrics.diversity import pairwise_rmsd


def test_pairwise_rmsd_of_samples():
    sample = structure("AKA")
    shifts = np.float32([0, 1, 3])[:, None, None, None]
    frames = sample.atoms + shifts * np.float32([1, 0, 0])
    value = pairwise_rmsd(
        sample.trace.residue_types,
        frames,
        sample.present,
        np.ones(3, dtype=bool),
        ATOM_SETS["side_chain"],
    )
    assert value == pytest.approx((1 + 3 + 2) / 3)
