"""Many structures in one call: their outputs, their errors, their summary."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal

import pytest
from cg_files import FakeModel, walk, write_ca_pdb

from latcpb_cli.diffusion.step_counter import Steps
from latcpb_cli.errors import InputError, OutputExistsError
from latcpb_cli.options import BackmapOptions
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.run import many_files, remote
from latcpb_cli.run.many_files import backmap_files, expand_inputs, plan_tasks, write_summary
from latcpb_cli.run.worker_process import WorkerSetup

SETUP = WorkerSetup("fake", "cpu")


@pytest.fixture(autouse=True)
def fake_model(monkeypatch):
    monkeypatch.setattr(remote, "_cached_model", lambda weights, device: FakeModel())


@pytest.fixture
def folder(tmp_path):
    """Two structures of other sequences, and a file that is none."""
    inputs = tmp_path / "in"
    inputs.mkdir()
    write_ca_pdb(inputs / "a.pdb", "ACDE", walk(4))
    write_ca_pdb(inputs / "b.pdb", "WYW", walk(3))
    (inputs / "c.pdb").write_text("nonsense\n")
    (inputs / "notes.md").write_text("not read")
    return inputs


def backmap(folder, options: BackmapOptions, workers: int = 0, name: str = "out"):
    output = folder.parent / name
    output.mkdir(exist_ok=True)
    tasks = plan_tasks(expand_inputs([folder]), output)
    results = list(backmap_files(tasks, SETUP, ReadOptions(), options, workers))
    return output, sorted(results, key=lambda result: result.file)


@pytest.fixture
def forked(monkeypatch):
    """Workers that start at once, with the stand-in for the model."""
    context = multiprocessing.get_context("fork")
    monkeypatch.setattr(many_files.multiprocessing, "get_context", lambda method: context)


def test_each_file_has_its_own_sequence_and_one_failure_stops_no_other(folder):
    output, results = backmap(folder, BackmapOptions())
    assert [result.residues for result in results] == [4, 3, 0]
    assert [bool(result.error) for result in results] == [False, False, True]
    assert results[2].exit_code == 3
    assert "TRP" in (output / "b.pdb").read_text()
    assert not (output / "c.pdb").exists()
    write_summary(output / "all.json", results)
    summary = json.loads((output / "all.json").read_text())
    assert summary["failed"] == 1
    assert [row["file"] for row in summary["files"]] == [str(folder / f"{name}.pdb") for name in "abc"]


def test_steps_of_a_file_are_reported(folder, monkeypatch):
    sample, reported = FakeModel.sample, []

    def reporting(self, trace, *arguments):
        self._on_steps(Steps(len(trace), 1000, 0.5))
        return sample(self, trace, *arguments)

    monkeypatch.setattr(FakeModel, "sample", reporting)
    tasks = plan_tasks(expand_inputs([folder]), folder.parent)
    list(backmap_files(tasks, SETUP, ReadOptions(), BackmapOptions(), on_steps=reported.append))
    assert [steps.done for steps in reported] == [4, 3]


def test_files_that_are_done_are_not_built_again(folder):
    output, _ = backmap(folder, BackmapOptions())
    (output / "b.pdb").unlink()
    before = (output / "a.pdb").stat().st_mtime_ns
    _, results = backmap(folder, BackmapOptions())
    assert [result.exit_code for result in results] == [4, 4, 3], "b's report is still there"
    _, results = backmap(folder, BackmapOptions(resume=True))
    assert (output / "a.pdb").stat().st_mtime_ns == before
    assert not results[0].error


def test_workers_share_the_files(folder, forked):
    alone, expected = backmap(folder, BackmapOptions(), name="alone")
    shared, results = backmap(folder, BackmapOptions(), workers=2, name="shared")
    assert [row.exit_code for row in results] == [row.exit_code for row in expected] == [0, 0, 3]
    for name in ("a.pdb", "b.pdb"):
        assert (shared / name).read_bytes() == (alone / name).read_bytes()
    assert sorted(path.name for path in shared.iterdir()) == sorted(path.name for path in alone.iterdir())


def test_a_worker_that_is_lost_is_an_error_of_its_files(folder, forked, monkeypatch):
    monkeypatch.setattr(FakeModel, "sample", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    output, results = backmap(folder, BackmapOptions(), workers=1)
    assert [row.exit_code for row in results[:2]] == [1, 1]
    assert all(row.error == "a worker was lost" and "--resume" in row.hint for row in results[:2])
    assert not list(output.glob("*.pdb"))
    monkeypatch.undo()
    monkeypatch.setattr(remote, "_cached_model", lambda weights, device: FakeModel())
    _, results = backmap(folder, BackmapOptions(resume=True))
    assert [row.exit_code for row in results] == [0, 0, 3]


def test_folders_lists_and_packed_files_become_tasks(folder):
    listed = folder / "some.txt"
    listed.write_text("# two of them\na.pdb\n\nb.pdb\n")
    assert expand_inputs([listed]) == [folder / "a.pdb", folder / "b.pdb"]
    assert [path.name for path in expand_inputs([folder])] == ["a.pdb", "b.pdb", "c.pdb"]
    tasks = plan_tasks([folder / "x.cif.gz", folder / "y.gro"], folder / "out")
    assert [task.output.name for task in tasks] == ["x.pdb", "y.pdb"]
    with pytest.raises(OutputExistsError, match=r"a\.cif: both would be .*a\.pdb"):
        plan_tasks([folder / "a.cif", folder / "a.pdb"], folder / "out")


@pytest.mark.parametrize("name", ["empty", "blank.txt", "missing.lst"])
def test_nothing_to_do_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.txt").write_text("\n# nothing\n")
    with pytest.raises(InputError, match=name.partition(".")[0]):
        expand_inputs([tmp_path / name])
