"""Chunks go into files and journal in their order, with the sums and problems of the run."""

from __future__ import annotations

import time

import numpy as np
import pytest
from cg_files import FakeModel, walk
from peptides import structure

from latcpb_cli.errors import InputError
from latcpb_cli.io.writers.atom_writer import open_writer
from latcpb_cli.io.writers.frame_writer import OutputSpec
from latcpb_cli.options import BackmapOptions
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.chunk_job import BuiltChunk, ChunkJob
from latcpb_cli.run.displacement import CaDisplacement
from latcpb_cli.run.journal import Journal, JournalEntry
from latcpb_cli.run.measure import measure_chunk
from latcpb_cli.run.progress import RunOutputs, RunProgress
from latcpb_cli.run.report import ReportWriter
from latcpb_cli.structure import AtomTopology, FrameChunk

TRACE = structure("CKC").trace
OPTIONS = BackmapOptions(ca_tolerance=0.2)
JOB = ChunkJob(TRACE, OPTIONS, (-1e6, 1e6))


@pytest.fixture
def outputs(tmp_path):
    """Files of a run of four frames."""
    with (
        Journal(tmp_path / "a.xtc") as journal,
        open_writer(tmp_path / "a.xtc", AtomTopology.heavy_atoms(TRACE), OutputSpec(4)) as writer,
        ReportWriter(tmp_path / "a.report.json", tmp_path / "a.report.csv", TRACE) as reporter,
    ):
        journal.begin({}, resume=False)
        yield RunOutputs(writer, reporter, journal)


def built(frames: list[int], **fields) -> BuiltChunk:
    indices = np.array(frames)
    chunk = FrameChunk(
        walk(3, 4)[indices], 1.0 * indices, np.zeros((len(frames), 6), np.float32), indices, None,
        {index: "exploded" for index in frames if index == 3},
    )  # fmt: skip
    atoms = FakeModel().sample(TRACE, chunk, OPTIONS)
    missing = np.zeros((len(frames), 1, 3), dtype=bool)
    bridges = [[((0, 2),)] if index == 0 else [()] for index in frames]
    fields = {"overlap_counts": OverlapCounts(3, 2, 1), **fields}
    return BuiltChunk(chunk, atoms, missing, bridges, [{}] * len(frames), **fields)


def test_sums_and_problems_are_in_the_journal(outputs):
    progress = RunProgress(JOB, outputs, time.perf_counter())
    assert progress.take(built([0, 1])) == 2
    assert progress.take(measure_chunk(JOB, built([2, 3], problems={3: "could not be built"}))) == 4
    assert progress.problems == {3: "exploded; could not be built"}
    assert progress.overlap_counts == OverlapCounts(6, 4, 2)
    assert progress.displacement.n_moved == progress.displacement.n_beads == 12
    entry = outputs.journal.entry
    assert (entry.frames, entry.problems) == (4, progress.problems)
    assert (entry.displacement, entry.overlap_counts) == (progress.displacement, progress.overlap_counts)
    assert entry.bridges == ((0, 2),)
    assert set(entry.parts) == {"a.xtc", "a.top.pdb", "a.report.json.frames", "a.report.csv"}
    assert all(part.size > 0 for part in entry.parts.values())


def test_a_resumed_run_goes_on_with_the_sums_of_the_journal(outputs):
    outputs.journal.entry = JournalEntry(
        frames=2,
        seconds=50.0,
        displacement=CaDisplacement(6, 1, 0.1, 0.1),
        overlap_counts=OverlapCounts(10, 0, 0),
        bridges=((1, 2),),
        problems={0: "collapsed"},
    )
    progress = RunProgress(JOB, outputs, time.perf_counter())
    assert progress.done == 2 and progress.seconds >= 50.0
    assert progress.take(built([2, 3])) == 4
    assert progress.displacement.n_moved == 7
    assert progress.overlap_counts == OverlapCounts(13, 2, 1)
    assert progress.problems == {0: "collapsed", 3: "exploded"}
    assert outputs.journal.entry.bridges == ((1, 2),)


def test_a_first_chunk_that_fails_ends_the_run(outputs):
    failed = {"error": ZeroDivisionError("bad luck"), "problems": {0: "bad luck", 1: "bad luck"}}
    with pytest.raises(ZeroDivisionError):
        RunProgress(JOB, outputs, 0.0).take(built([0, 1], **failed))
    progress = RunProgress(JOB, outputs, 0.0)
    progress.take(built([0]))
    progress.take(built([1], **failed | {"problems": {1: "bad luck"}}))
    assert progress.problems == {1: "bad luck"}


def test_strict_runs_end_at_a_frame_that_cannot_be_built(outputs):
    progress = RunProgress(JOB, outputs, 0.0, strict=True)
    with pytest.raises(InputError, match="frame 1: bad luck") as caught:
        progress.take(built([0, 1], problems={1: "bad luck"}))
    assert "--strict" in caught.value.hint
    assert outputs.journal.entry is None


def test_commit_gives_all_files_their_names_and_removes_the_journal(outputs, tmp_path):
    progress = RunProgress(JOB, outputs, 0.0)
    progress.take(built([0, 1, 2, 3]))
    outputs.writer.finish()
    outputs.reporter.finish({})
    outputs.commit()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a.xtc", "a.top.pdb", "a.report.json", "a.report.csv"}
