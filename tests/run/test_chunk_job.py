"""Chunks of frames become atoms; a frame that fails is reported and does not take others with it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from bridges import facing
from cg_files import FakeModel, write_ca_pdb, write_trajectory

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import BackmapOptions
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.chunk_job import ChunkJob
from latcpb_cli.run.pipeline import backmap_trajectory
from latcpb_cli.sidechains.consensus import RotamerConsensus

COHERENT = BackmapOptions(coherence=2.0)
LIMITS = (-1e6, 1e6)


@pytest.fixture
def source(tmp_path, ca_pdb, positions):
    return open_source([write_trajectory(tmp_path / "t.dcd", positions)], ca_pdb)


class Fragile(FakeModel):
    """Fails on some frames, with an error of choice, in building and in reference frames."""

    def __init__(self, frames: set[int], error: Exception | None = None) -> None:
        self.frames, self.error = frames, error or ZeroDivisionError("bad luck\nand more")

    def sample(self, trace, chunk, options, references=None, counts=None, predictions=None):
        self._fail(chunk)
        if counts is not None:
            counts.add(OverlapCounts(len(chunk), 0, 0))
        return super().sample(trace, chunk, options, references, counts, predictions)

    def rotamer_consensus(self, trace, chunk, options, templates=()):
        self._fail(chunk)
        shape = len(chunk), len(trace)
        return RotamerConsensus(chunk.indices, np.zeros((*shape, 2)), np.ones((*shape, 81), np.float16))

    def _fail(self, chunk):
        if self.frames & set(chunk.indices.tolist()):
            raise self.error


def job(source, options=COHERENT, limits=LIMITS) -> ChunkJob:
    return ChunkJob(source.trace, options, limits)


def test_a_frame_that_fails_is_built_alone_and_reported(source):
    chunk = source.read_frames(np.arange(6))
    built = job(source).build(Fragile({1, 4}), chunk)
    assert built.problems == dict.fromkeys((1, 4), "could not be built (bad luck)")
    assert built.error is None
    expected = FakeModel().sample(source.trace, chunk, COHERENT)
    good = [0, 2, 3, 5]
    assert np.array_equal(built.atoms[good], expected[good])
    assert not built.atoms[[1, 4]].any()
    assert built.missing.any(axis=(1, 2)).tolist() == [False, True, False, False, True, False]
    assert len(built.bridges) == len(built.rows) == 6
    assert built.overlap_counts.built == 4


def test_the_error_is_kept_where_no_frame_can_be_built(source):
    built = job(source).build(Fragile(set(range(6))), source.read_frames(np.arange(6)))
    assert isinstance(built.error, ZeroDivisionError)
    assert sorted(built.problems) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("error", [UsageError("no"), InputError("too big"), MemoryError()])
def test_errors_for_the_user_end_the_run(source, error):
    model = Fragile({3}, error)
    with pytest.raises(type(error)):
        job(source).build(model, source.read_frames(np.arange(6)))
    with pytest.raises(type(error)):
        job(source).with_consensus(model, source)


def test_residues_beyond_the_limits_are_missing(source):
    chunk = source.read_frames(np.arange(2))
    low, high = float(chunk.positions.min()) - 50.0, float(chunk.positions.max()) + 50.0
    chunk.positions[1, 3] += 100.0
    built = job(source, limits=(low, high)).build(FakeModel(), chunk)
    assert np.argwhere(built.missing).tolist() == [[1, 0, 3]]


def test_residues_without_a_position_are_missing_in_every_sample(tmp_path, ca_pdb, positions):
    positions[2, 7] = np.nan
    source = open_source([write_trajectory(tmp_path / "nan.dcd", positions)], ca_pdb)
    options = BackmapOptions(samples=2)
    built = job(source, options).build(FakeModel(), source.read_frames(np.arange(4)))
    assert np.argwhere(built.missing).tolist() == [[2, 0, 7], [2, 1, 7]]


def test_a_reference_frame_that_fails_is_left_out_and_reported(source):
    coherent, problems = job(source).with_consensus(Fragile({1, 4}), source)
    assert coherent.consensus.frames.tolist() == [0, 2, 3, 5]
    assert coherent.consensus.probabilities.shape == (4, 13, 81)
    assert problems == dict.fromkeys((1, 4), "left out of the reference frames (bad luck)")


def test_no_consensus_is_left_where_every_reference_frame_fails(source):
    coherent, problems = job(source).with_consensus(Fragile(set(range(6))), source)
    assert coherent.consensus is None
    assert len(problems) == 6


def test_failing_reference_frames_are_in_summary_and_report(tmp_path, source):
    class FragileReference(Fragile):
        sample = FakeModel.sample

    summary = backmap_trajectory(FragileReference({4}), source, tmp_path / "out.pdb", COHERENT)
    expected = "left out of the reference frames (bad luck)"
    assert summary.problems == {4: expected}
    report = json.loads((tmp_path / "out.report.json").read_text())
    assert report["provenance"]["frame_problems"] == {"4": expected}


@pytest.mark.parametrize("options", [BackmapOptions(), BackmapOptions(coherence=2.0, mode="ensemble")])
def test_consensus_belongs_to_coherent_best_mode(source, options):
    assert job(source, options).with_consensus(Fragile(set(range(6))), source)[0].consensus is None


def test_first_bridges_are_those_of_the_first_frame_as_it_is_written(tmp_path):
    """With coherence, tolerance and reference frames of the run: the first frame has one structure."""
    trace, near, _ = facing(3.9)
    far = facing(5.6)[1]
    top = write_ca_pdb(tmp_path / "cg.pdb", trace.sequence, near[None, :, 1], chains="AAABBB")
    alphas = np.stack([near[:, 1], far[:, 1]])
    source = open_source([write_trajectory(tmp_path / "t.dcd", alphas)], top)
    options = BackmapOptions(coherence=1.5, ca_tolerance=0.3)
    received = []

    class Strands(Fragile):
        def sample(self, trace, chunk, options, references=None, counts=None, predictions=None):
            received.append((chunk.indices.tolist(), options, references.consensus))
            return np.stack([(near, far)[index] for index in chunk.indices])[:, None]

    coherent, _ = job(source, options).with_consensus(Strands(set()), source)
    assert coherent.first_bridges(Strands(set()), source) == ((1, 4),)
    assert received == [([0], options, coherent.consensus)]
    assert coherent.consensus is not None


def test_first_bridges_build_nothing_where_there_can_be_none(source):
    fragile = Fragile(set(range(6)))
    assert source.trace.sequence.count("C") == 1
    assert job(source).first_bridges(fragile, source) == ()
    assert job(source, BackmapOptions(disulfides="none")).first_bridges(fragile, source) == ()
