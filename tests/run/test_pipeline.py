"""The data flow, with a stand-in for the model."""

from __future__ import annotations

import csv
import hashlib
import json
import threading

import gemmi
import numpy as np
import pytest
from cg_files import FakeModel, walk, write_ca_pdb, write_trajectory

from latcpb_cli.errors import OutputExistsError, UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import BackmapOptions, MdOptions
from latcpb_cli.run import prepared_run
from latcpb_cli.run.output_plan import OutputPlan
from latcpb_cli.run.pipeline import backmap_trajectory
from latcpb_cli.run.prepared_run import frames_per_chunk
from latcpb_cli.sidechains.consensus import RotamerConsensus

ENSEMBLE = BackmapOptions(samples=3)


@pytest.fixture
def source(tmp_path, ca_pdb, positions):
    return open_source([write_trajectory(tmp_path / "t.dcd", positions)], ca_pdb)


def atom_positions(model: gemmi.Model, name: str) -> np.ndarray:
    return np.array([site.atom.pos.tolist() for site in model.all() if site.atom.name == name])


def test_all_frames_and_samples_in_order(tmp_path, source, backmapper, positions):
    progress = []
    output = tmp_path / "out.pdb"
    summary = backmap_trajectory(backmapper, source, output, ENSEMBLE, on_progress=progress.append)
    assert (summary.n_frames, summary.n_samples, summary.n_residues) == (6, 3, 13)
    assert summary.outputs[0] == output
    assert progress[0] == 0 and progress[-1] == 6
    structure = gemmi.read_pdb(str(output))
    assert len(structure) == 18
    for number, model in enumerate(structure):
        frame, sample = divmod(number, 3)
        np.testing.assert_allclose(atom_positions(model, "CA"), positions[frame], atol=1e-3)
        expected = positions[frame, 0, 0] + np.cos(3.6) + 0.01 * sample
        assert atom_positions(model, "CB")[0, 0] == pytest.approx(expected, abs=2e-3)


def test_frames_count_as_soon_as_they_are_written(tmp_path, source, backmapper, monkeypatch):
    """The second frame is built only once the first is known to be done."""
    written, in_time, sample = threading.Event(), [], FakeModel.sample

    def wait(self, trace, chunk, *arguments):
        if chunk.indices[0] == 1:
            in_time.append(written.wait(timeout=30))
        return sample(self, trace, chunk, *arguments)

    monkeypatch.setattr(FakeModel, "sample", wait)
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    backmap_trajectory(
        backmapper, source, tmp_path / "out.pdb", on_progress=lambda done: done == 1 and written.set()
    )
    assert in_time == [True]


def test_only_chunks_with_another_one_after_them_are_written_by_another_thread(
    tmp_path, source, backmapper, monkeypatch
):
    """The last one is written while nothing is built."""
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    threads = []

    def note(done: int) -> None:
        threads.append((done, threading.current_thread() is threading.main_thread()))

    backmap_trajectory(backmapper, source, tmp_path / "out.pdb", on_progress=note)
    assert threads == [(0, True), *((done, False) for done in range(1, 6)), (6, True)]


@pytest.mark.parametrize("suffix", [".pdb", ".xtc", ".dcd", ".trr"])
def test_output_does_not_depend_on_chunks(tmp_path, source, backmapper, monkeypatch, suffix):
    contents = []
    for residues in (1, 40, 10_000):
        monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", residues)
        output = tmp_path / f"{residues}{suffix}"
        backmap_trajectory(backmapper, source, output, ENSEMBLE)
        contents.append(output.read_bytes())
    assert contents[0] == contents[1] == contents[2]


@pytest.mark.parametrize(
    ("options", "used"),
    [
        (BackmapOptions(coherence=2.0), True),
        (BackmapOptions(), False),
        (BackmapOptions(coherence=2.0, mode="ensemble"), False),
    ],
)
def test_consensus_is_computed_before_the_first_chunk(
    tmp_path, source, backmapper, monkeypatch, options, used
):
    """Coherent best mode computes it once, from all six frames, and every chunk is built with it."""
    reference, received = [], []
    consensus = RotamerConsensus(np.arange(1), np.zeros((1, 13, 1)), np.zeros((1, 13, 81), np.float16))
    sample = FakeModel.sample

    def rotamer_consensus(self, trace, chunk, options, templates=()):
        assert not received
        reference.append(chunk.indices.tolist())
        return consensus

    def spy(self, trace, chunk, options, references=None, counts=None, predictions=None):
        received.append(references.consensus)
        return sample(self, trace, chunk, options, references, counts, predictions)

    monkeypatch.setattr(FakeModel, "rotamer_consensus", rotamer_consensus)
    monkeypatch.setattr(FakeModel, "sample", spy)
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    backmap_trajectory(backmapper, source, tmp_path / "out.pdb", options)
    assert reference == ([[0, 1, 2, 3, 4, 5]] if used else [])
    assert received == [consensus if used else None] * 6


def test_report_and_provenance(tmp_path, source, backmapper, ca_pdb):
    options = BackmapOptions(samples=2, seed=7, without=("relief",))
    summary = backmap_trajectory(backmapper, source, tmp_path / "out.xtc", options)
    names = [path.name for path in summary.outputs]
    assert names == ["out.xtc", "out.top.pdb", "out.report.json", "out.report.csv"]
    content = json.loads((tmp_path / "out.report.json").read_text())
    provenance = content["provenance"]
    for name, value in {"seed": 7, "samples": 2, "mode": "ensemble", "without": ["relief"]}.items():
        assert provenance[name] == value
    assert provenance["weights"] == {"name": "fake", "sha256": "0" * 64}
    assert provenance["inputs"][0] == {
        "file": str(ca_pdb),
        "sha256": hashlib.sha256(ca_pdb.read_bytes()).hexdigest(),
    }
    assert len(content["frames"]) == 12
    assert content["summary"] == json.loads(json.dumps(summary.clashes))
    with (tmp_path / "out.report.csv").open() as handle:
        assert "residue" in next(csv.reader(handle))


def test_report_is_optional(tmp_path, source, backmapper):
    options = BackmapOptions(report=False)
    summary = backmap_trajectory(backmapper, source, tmp_path / "out.xtc", options)
    assert [path.name for path in summary.outputs] == ["out.xtc", "out.top.pdb"]
    assert summary.clashes == {}
    assert not list(tmp_path.glob("*report*"))


@pytest.mark.parametrize("name", ["out.pdb", "out.xtc"])
@pytest.mark.parametrize("fail_at", [0, 3])
def test_interrupted_run_leaves_no_final_name(tmp_path, source, backmapper, monkeypatch, name, fail_at):
    """It leaves nothing where no frame was done, else what a resumed run needs."""
    before = {entry.name for entry in tmp_path.iterdir()}
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    backmapper.fail_at = fail_at
    with pytest.raises(KeyboardInterrupt):
        backmap_trajectory(backmapper, source, tmp_path / name)
    left = {entry.name for entry in tmp_path.iterdir()} - before
    assert {entry.rpartition(".")[2] for entry in left} == ({"part", "journal"} if fail_at else set())


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "confidence.json"])
def test_a_run_goes_on_with_the_same_files_of_weights_only(tmp_path, source, backmapper, monkeypatch, file):
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    output, backmapper.fail_at = tmp_path / "out.xtc", 3
    with pytest.raises(KeyboardInterrupt):
        backmap_trajectory(backmapper, source, output)
    other = FakeModel()
    other.checksums = {**backmapper.checksums, file: "1" * 64}
    with pytest.raises(UsageError, match="the interrupted run had another weights$"):
        backmap_trajectory(other, source, output, BackmapOptions(resume=True))
    backmap_trajectory(FakeModel(), source, output, BackmapOptions(resume=True))
    with pytest.raises(OutputExistsError):
        backmap_trajectory(other, source, output, BackmapOptions(resume=True))


def test_interrupted_overwrite_keeps_the_old_file(tmp_path, source, backmapper):
    output, options = tmp_path / "out.pdb", BackmapOptions(overwrite=True)
    output.write_text("precious")
    backmapper.fail_at = 5
    with pytest.raises(KeyboardInterrupt):
        backmap_trajectory(backmapper, source, output, options)
    assert output.read_text() == "precious"
    backmapper.fail_at = None
    backmap_trajectory(backmapper, source, output, options)
    assert "0" * 64 in output.read_text().splitlines()[2]


def test_outputs_are_checked_unless_a_plan_is_given(tmp_path, source, backmapper):
    (tmp_path / "out.report.csv").touch()
    with pytest.raises(OutputExistsError, match=r"out\.report\.csv"):
        backmap_trajectory(backmapper, source, tmp_path / "out.pdb")
    with pytest.raises(UsageError, match="is an input"):
        backmap_trajectory(backmapper, source, tmp_path / "t.dcd", BackmapOptions(overwrite=True))
    with OutputPlan.reserve(tmp_path / "out.pdb", BackmapOptions(overwrite=True)) as plan:
        assert backmap_trajectory(backmapper, source, plan).outputs == plan.files


class IdleBuilder:
    """Builds nothing."""

    count = 1

    def build(self, job, chunks):
        yield from ()


def test_workers_do_not_minimise(tmp_path, source, backmapper):
    options = BackmapOptions(md=MdOptions(hydrogens=True))
    with pytest.raises(UsageError, match="hydrogens and minimisation have no workers"):
        backmap_trajectory(backmapper, source, tmp_path / "out.pdb", options, builder=IdleBuilder())


def test_single_residue(tmp_path, backmapper):
    source = open_source([write_ca_pdb(tmp_path / "a.pdb", "W", walk(1))])
    backmap_trajectory(backmapper, source, tmp_path / "out.pdb")
    assert gemmi.read_pdb(str(tmp_path / "out.pdb"))[0].count_atom_sites() == 15


def test_report_holds_the_displacement_of_ca(tmp_path, source, backmapper):
    """The stand-in moves every atom by half of the tolerance along each axis."""
    reports = []
    for tolerance in (0.0, 0.4):
        options = BackmapOptions(ca_tolerance=tolerance)
        backmap_trajectory(backmapper, source, tmp_path / f"{tolerance:.0%}.pdb", options)
        report = json.loads((tmp_path / f"{tolerance:.0%}.report.json").read_text())
        reports.append(report["provenance"])
    still, moved = reports
    assert [report["ca_tolerance"] for report in reports] == [0.0, 0.4]
    assert still["ca_moved"] == {"percent": 0.0, "mean": 0.0, "max": 0.0}
    assert still["deep_overlaps"] == {"built": 0, "relieved": 0, "reselected": 0}
    assert moved["ca_moved"]["percent"] == 100.0
    assert moved["ca_moved"]["max"] == pytest.approx(0.2 * 3**0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("block", "residues", "frames", "builders", "expected"),
    [
        (5, 100, 1000, 1, 80),
        (5, 100, 1000, 2, 50),
        (5, 100, 1000, 4, 50),
        (5, 100, 3, 4, 80),
        (1, 40000, 7, 2, 1),
        (5, 100, 0, 2, 80),
    ],
)
def test_chunks_keep_every_builder_busy(block, residues, frames, builders, expected):
    assert frames_per_chunk(block, residues, frames, builders) == expected
