"""What is measured of built atoms, and what becomes of residues that were not built."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import build, structure

from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.chunk_job import BuiltChunk, ChunkJob
from latcpb_cli.run.displacement import CaDisplacement
from latcpb_cli.run.measure import _stretches, measure_chunk
from latcpb_cli.structure import FrameChunk

SEQUENCE = "GAFKC"
TRACE = structure(SEQUENCE).trace


def built_chunk(atoms: np.ndarray, missing: np.ndarray | None = None, **fields) -> BuiltChunk:
    """A chunk with atoms (F, S, L, 15, 3) whose input has the Cα of the first samples."""
    n_frames, n_samples, length = atoms.shape[:3]
    indices = 10 + np.arange(n_frames)
    chunk = FrameChunk(
        atoms[:, 0, :, 1].copy(), np.arange(n_frames) * 1.0, np.zeros((n_frames, 6), np.float32), indices
    )
    missing = np.zeros((n_frames, n_samples, length), dtype=bool) if missing is None else missing
    bridges = [[()] * n_samples for _ in range(n_frames)]
    return BuiltChunk(chunk, atoms, missing, bridges, [{"energy": 1.0}] * (n_frames * n_samples), **fields)


def helices(n_frames: int = 2, n_samples: int = 1) -> np.ndarray:
    atoms = build(SEQUENCE)[0]
    return np.repeat(np.repeat(atoms[None, None], n_frames, axis=0), n_samples, axis=1)


def job(**options) -> ChunkJob:
    return ChunkJob(TRACE, BackmapOptions(**options), (-1e6, 1e6))


def test_a_sound_helix_has_no_defects():
    measured = measure_chunk(job(), built_chunk(helices()))
    assert measured.problems == {}
    assert measured.displacements == [CaDisplacement(n_beads=5)] * 2
    assert [clashes.n_overlaps for clashes in measured.clashes] == [0, 0]
    for row in measured.rows:
        assert row["energy"] == 1.0
        assert row["lassos"] == row["d_residues"] == row["bonds"] == 0


def test_defects_and_clashes_belong_to_their_own_structure():
    atoms = helices(2, 2)
    atoms[1, 0] *= np.float32([1, 1, -1])  # the mirror image
    atoms[1, 1, 4, 2] = atoms[1, 1, 0, 0]  # C of Cys at N of Gly
    measured = measure_chunk(job(samples=2), built_chunk(atoms))
    assert [row["d_residues"] for row in measured.rows] == [0, 0, 4, measured.rows[3]["d_residues"]]
    assert [clashes.contact12.any() for clashes in measured.clashes] == [False, False, False, True]
    assert measured.rows[3]["bonds"] > 0


def test_displacements_are_those_of_the_first_sample():
    atoms = helices(1, 2)
    built = built_chunk(atoms)
    atoms[0, 0, 1, 1, 0] += 0.5
    atoms[0, 1, 2, 1, 0] += 2.0
    (displacement,) = measure_chunk(job(samples=2), built).displacements
    assert (displacement.n_moved, displacement.max) == (1, pytest.approx(0.5, abs=1e-6))


def test_missing_residues_are_zeros_and_have_no_clashes():
    """A residue that was given and not built is a problem; one without a position is none."""
    missing = np.zeros((2, 1, 5), dtype=bool)
    missing[1, 0, [2, 4]] = True
    atoms = helices()
    atoms[1, 0, 2] = atoms[1, 0, 0]
    built = built_chunk(atoms, missing)
    built = BuiltChunk(
        **vars(built) | {"chunk": FrameChunk(**vars(built.chunk) | {"missing": missing[:, 0]})}
    )
    measured = measure_chunk(job(), built)
    assert not measured.atoms[1, 0, [2, 4]].any()
    np.testing.assert_array_equal(measured.atoms[0], atoms[0])
    assert not any(clashes.contact12.any() for clashes in measured.clashes)
    assert measured.problems == {}
    assert [displacement.n_beads for displacement in measured.displacements] == [5, 3]
    given = measure_chunk(job(), built_chunk(atoms, missing))
    assert given.problems == {11: "2 residues not built: coordinates that no file can hold"}


def test_a_problem_of_building_is_kept():
    missing = np.ones((1, 1, 5), dtype=bool)
    built = built_chunk(helices(1), missing, problems={10: "could not be built (bad luck)"})
    assert measure_chunk(job(), built).problems == {10: "could not be built (bad luck)"}


def test_nothing_is_counted_without_a_report():
    measured = measure_chunk(job(report=False), built_chunk(helices()))
    assert measured.clashes == []
    assert measured.rows == [{"energy": 1.0}] * 2
    assert len(measured.displacements) == 2


def test_spread_is_the_distance_of_each_atom_from_its_mean():
    assert measure_chunk(job(), built_chunk(helices())).spread is None
    atoms = helices(1, 2)
    atoms[0, 1, 2] += np.float32([0.6, 0, 0.8])
    spread = measure_chunk(job(samples=2), built_chunk(atoms)).spread
    assert spread is not None and spread.shape == (1, 5, 15)
    np.testing.assert_allclose(spread, np.broadcast_to([[[0], [0], [0.5], [0], [0]]], (1, 5, 15)), atol=1e-5)


@pytest.mark.parametrize(
    ("alone", "expected"),
    [
        ([0, 0, 0], [(0, 3)]),
        ([0, 1, 0, 0], [(0, 1), (1, 2), (2, 4)]),
        ([1, 1, 0], [(0, 1), (1, 2), (2, 3)]),
        ([1], [(0, 1)]),
    ],
)
def test_marked_rows_are_stretches_of_their_own(alone, expected):
    stretches = _stretches(np.array(alone, dtype=bool))
    assert [(stretch.start, stretch.stop) for stretch in stretches] == expected
