"""Defects are counted frame by frame."""

from __future__ import annotations

import numpy as np
from peptides import build, structure

from latcpb_cli.metrics.defects import DEFECTS, frame_defects

SEQUENCE = "GAFAPG"


def test_defects_are_counted_frame_by_frame():
    sound, present = build(SEQUENCE, phi=-120.0, psi=130.0)
    cis = build(SEQUENCE, phi=-120.0, psi=130.0, omega=[180.0, 0.0, 180.0, 180.0, 180.0, 180.0])[0]
    frames = np.stack([sound, sound * np.array([1, 1, -1], dtype=np.float32), cis])
    linked = np.tile([True] * 5 + [False], (3, 1))
    good, mirrored, turned = frame_defects(structure(SEQUENCE).trace, frames, present, linked)
    assert set(good) == set(DEFECTS)
    assert {name: good[name] for name in ("d_residues", "cis_non_proline", "bonds", "omega")} == {
        "d_residues": 0,
        "cis_non_proline": 0,
        "bonds": 0,
        "omega": 0,
    }
    assert (mirrored["d_residues"], turned["d_residues"]) == (4, 0)
    assert (mirrored["cis_non_proline"], turned["cis_non_proline"]) == (0, 1)
