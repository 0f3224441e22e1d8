"""What is written as B factors of atoms."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import FakeModel, linear_calibration
from written import make_chunk, make_trace

from latcpb_cli.errors import UsageError
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.bfactors import BFactors
from latcpb_cli.run.chunk_job import ChunkJob
from latcpb_cli.run.measure import MeasuredChunk, measure_chunk
from latcpb_cli.structure import AtomTopology

TRACE = make_trace("GAPLFRW", ["A"] * 7)
TOPOLOGY = AtomTopology.heavy_atoms(TRACE)


class Calibrated(FakeModel):
    calibration = linear_calibration()


def measured(**options) -> MeasuredChunk:
    job = ChunkJob(TRACE, BackmapOptions(**options), (-1e6, 1e6), has_confidence=True)
    return measure_chunk(job, job.build(Calibrated(), make_chunk(TRACE, 2)))


def test_atoms_have_the_probability_of_the_chi_angles_that_place_them():
    chunk = measured(bfactor="confidence")
    values = BFactors(TOPOLOGY, "confidence").values(chunk)
    assert values is not None and values.shape == (2, 1, len(TOPOLOGY))
    assert values.min() >= 0 and values.max() <= 100
    confidence = chunk.confidence
    assert confidence is not None
    for atom, (residue, name) in enumerate(zip(TOPOLOGY.residue, TOPOLOGY.names, strict=True)):
        chi = {
            "L": {"CG": 1, "CD1": 2, "CD2": 2},
            "F": {"CG": 1, "CD1": 2, "CE2": 2, "CZ": 2},
            "R": {"CG": 1, "CD": 2, "NE": 3, "CZ": 4, "NH1": 4},
            "W": {"CD1": 2, "CH2": 2},
        }.get(TRACE.sequence[residue], {})
        if name in chi:
            expected = confidence.chi[:, 0, residue, chi[name] - 1]
        elif name in ("N", "CA", "C", "O", "CB", "OXT") or TRACE.sequence[residue] in "GAP":
            expected = confidence.backbone[:, 0, residue]
        else:
            continue
        assert values[:, 0, atom] == pytest.approx(100 * expected, abs=1e-4)


def test_hydrogens_and_phosphates_follow_the_atoms_beside_them():
    names = np.array(["H", "HA", "HB3", "HG", "HD11", "P", "O1P"])
    residue = np.full(7, 3)
    topology = AtomTopology(TRACE, residue, np.arange(15, 22), names, np.array([n[0] for n in names]))
    assert BFactors(topology, "confidence")._n_chi.tolist() == [0, 0, 0, 1, 2, 2, 2]


def test_spread_is_that_of_each_atom_over_the_samples():
    values = BFactors(TOPOLOGY, None).values(measured(samples=3))
    assert values is not None
    cb = TOPOLOGY.names == "CB"
    # The fake samples differ by 0.01 Å in CB.
    assert values[..., cb] == pytest.approx(0.01 * np.sqrt(2 / 3), abs=1e-5)
    assert values[..., ~cb] == pytest.approx(0.0, abs=1e-5)
    assert BFactors(TOPOLOGY, None).values(measured()) is None


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"bfactor": "spread"}, "--samples"),
        ({"bfactor": "confidence", "mode": "exact"}, "exact"),
        ({"bfactor": "confidence", "without": ("relief",)}, "--without"),
        ({"bfactor": "occupancy"}, "confidence, spread"),
    ],
)
def test_what_is_not_known_is_refused(options, hint):
    with pytest.raises(UsageError) as caught:
        BackmapOptions(**options)
    assert hint in caught.value.hint
