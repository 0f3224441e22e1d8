"""Completion of frames and samples: disulfides first, then modified residues."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from bridges import facing

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.complete.completion import complete


def test_structures_are_independent():
    trace, near, _ = facing(3.6)
    _, far, _ = facing(5.6)
    frames = np.stack([near, far, facing(4.0)[1], near])[:, None]
    boxes = np.zeros((4, 6))
    atoms, bridges = complete(trace, frames.copy(), boxes)
    assert bridges == [[((1, 4),)], [()], [((1, 4),)], [((1, 4),)]]
    for row in range(4):
        alone, own_bridges = complete(trace, frames[row : row + 1].copy(), boxes[:1])
        np.testing.assert_array_equal(alone[0], atoms[row])
        assert own_bridges[0] == bridges[row]


def test_samples_of_a_frame_have_bridges_of_their_own():
    trace, near, _ = facing(3.6)
    samples = np.stack([near, facing(5.6)[1]])[None]
    atoms, bridges = complete(trace, samples, np.zeros((1, 6)))
    assert bridges == [[((1, 4),), ()]]
    assert atoms.shape == samples.shape


def test_without_disulfides_nothing_moves():
    trace, near, _ = facing(3.6)
    atoms, bridges = complete(trace, near[None, None].copy(), np.zeros((1, 6)), "none")
    np.testing.assert_array_equal(atoms[0, 0], near)
    assert bridges == [[()]]


def test_modified_residues_get_slots_of_their_own():
    trace, near, _ = facing(3.6, sequence="SCA")
    trace = replace(trace, variants=np.array(["SEP", "", "", "", "", ""]))
    atoms, bridges = complete(trace, near[None, None].copy(), np.zeros((1, 6)))
    assert atoms.shape[3] == trace.n_slots == N_SLOTS + 4
    assert bridges == [[((1, 4),)]]
    assert (atoms[0, 0, 0, N_SLOTS:] != 0).any(axis=-1).all()
    assert (atoms[0, 0, 1:, N_SLOTS:] == 0).all()
