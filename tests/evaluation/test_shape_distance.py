"""Distances between distributions of sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.evaluation.evaluate import evaluate_pair


def stretched(ends):
    """Two Cα at these distances, one for each frame."""
    sample = structure("AA")
    atoms = np.repeat(sample.atoms, len(ends), axis=0)
    atoms[:, 1, 1] = atoms[:, 0, 1] + np.array([[end, 0, 0] for end in ends], dtype=np.float32)
    return replace(sample, atoms=atoms)


@pytest.mark.parametrize(
    ("reference", "generated", "distance"),
    [
        ((3.8, 4.0), (4.0, 3.8), 0.0),
        ((3.8, 4.0), (4.3, 4.1), 0.3),
        ((3.8, 4.0, 4.2), (4.0,), 0.4 / 3),
    ],
)
def test_order_and_number_of_frames_do_not_matter(reference, generated, distance):
    evaluation = evaluate_pair(stretched(reference), stretched(generated), samples=None)
    found = evaluation.methods[0].summary["shape_distance"]["end_to_end"]
    assert found == pytest.approx(distance, abs=1e-5)
