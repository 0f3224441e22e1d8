"""Local workers: neither their number nor their loss changes a byte of the output."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal

import pytest
from cg_files import FakeModel, linear_calibration

from latcpb_cli.diffusion.step_counter import Steps
from latcpb_cli.errors import WeightsError, WorkersLostError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.run import prepared_run, remote, workers
from latcpb_cli.run.pipeline import backmap_trajectory
from latcpb_cli.run.worker_process import WorkerSetup
from latcpb_cli.run.workers import LocalWorkers, worthwhile_workers


@pytest.fixture
def started(monkeypatch) -> list[int]:
    """Process ids of the workers, in the order in which they are started."""
    pids: list[int] = []
    start = workers._Worker.start

    def recorded(self) -> None:
        start(self)
        pids.append(self.process.pid)

    monkeypatch.setattr(workers._Worker, "start", recorded)
    return pids


@pytest.mark.parametrize(
    ("residues", "structures", "device", "threads", "expected"),
    [
        (100, 100_000, "cpu", 4, 4),
        (100, 100_000, "cpu", 64, 16),
        (100, 100_000, "cpu", 1, 0),
        (100, 100, "cpu", 4, 0),
        (100, 100_000, "cuda", 4, 0),
        (40_000, 100, "cpu", 4, 0),
    ],
)
def test_long_runs_are_worth_a_process_for_each_thread(
    monkeypatch, residues, structures, device, threads, expected
):
    monkeypatch.setattr(workers.torch, "get_num_threads", lambda: threads)
    assert worthwhile_workers(residues, structures, device) == expected


def test_a_worker_that_cannot_load_its_model_fails_with_the_first_chunk(run, tmp_path):
    builder = LocalWorkers(WorkerSetup(str(tmp_path / "nowhere"), "cpu"), 1)
    builder.wait()
    with pytest.raises(WeightsError, match="no directory"):
        run("unloaded", builder)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("victim", [None, 0, -1])
def test_any_number_of_workers_killed_or_not(run, setup, started, forked_workers, monkeypatch, count, victim):
    """Frames come back in order, whichever worker is late or lost."""

    def kill(done: int) -> None:
        if done == 2 and victim is not None:
            os.kill(started[victim], signal.SIGKILL)

    with_workers = run("workers", LocalWorkers(setup, count), on_progress=kill)
    assert len(started) >= count
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 10_000)
    assert with_workers == run("alone")


class StepModel(FakeModel):
    """Reports half of a hundred steps for each frame, and the number of the frame in place of theirs."""

    frame_3 = multiprocessing.get_context("fork").Event()

    def sample(self, trace, chunk, options, *arguments):
        number = int(chunk.indices[0])
        self._on_steps(Steps(number, 100, 0.5))
        if number == 3:
            self.frame_3.set()
        return super().sample(trace, chunk, options, *arguments)


class StepModelWithOthers(StepModel):
    """Builds frame 0 only once another worker is through with its first frame."""

    def sample(self, trace, chunk, options, *arguments):
        atoms = super().sample(trace, chunk, options, *arguments)
        assert chunk.indices[0] > 0 or self.frame_3.wait(timeout=30)
        return atoms


@pytest.mark.parametrize(("count", "model"), [(1, StepModel), (3, StepModelWithOthers)])
def test_steps_are_those_of_the_frame_that_comes_next(run, setup, forked_workers, monkeypatch, count, model):
    """The frames are those of all workers, and of results that wait for the next frame."""
    StepModel.frame_3.clear()
    monkeypatch.setattr(remote, "_cached_model", lambda weights, device: model())
    reported: list[Steps] = []
    with_workers = run("workers", LocalWorkers(setup, count, reported.append))
    assert with_workers == run("alone")
    numbers = [steps.done for steps in reported]
    assert numbers[0] == 0 and numbers == sorted(numbers)
    if count == 1:
        assert reported == [Steps(number, 100, 0.5) for number in range(7)]
    else:
        assert 1.0 <= max(steps.frames for steps in reported) <= 2 * count


def test_steps_that_nobody_wants_to_know(run, setup, forked_workers, monkeypatch):
    monkeypatch.setattr(remote, "_cached_model", lambda weights, device: StepModel())
    assert run("workers", LocalWorkers(setup, 2)) == run("alone")


@pytest.mark.slow
def test_reference_frames_are_computed_once_for_all_workers(run, setup, input_folder):
    model = LoadedModel.from_pretrained(input_folder / "weights", device="cpu")
    with_workers = run("workers", LocalWorkers(setup, 2), model, coherence=3.0)
    assert with_workers == run("alone", model=model, coherence=3.0)
    assert with_workers[0] != run("incoherent", model=model)[0]


@pytest.mark.slow
def test_the_model_in_three_processes_one_of_them_killed(run, setup, started, input_folder, monkeypatch):
    def kill(done: int) -> None:
        if done == 2:
            os.kill(started[1], signal.SIGKILL)

    model = LoadedModel.from_pretrained(input_folder / "weights", device="cpu")
    with_workers = run("workers", LocalWorkers(setup, 3), model, on_progress=kill)
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 10_000)
    assert with_workers == run("alone", model=model)


def test_a_chunk_that_kills_its_workers_is_given_up(run, setup, forked_workers, monkeypatch, tmp_path):
    start = workers._Worker.start

    def doomed(self) -> None:
        start(self)
        self.process.kill()

    monkeypatch.setattr(workers._Worker, "start", doomed)
    with pytest.raises(WorkersLostError, match="3 workers were lost over frames 0 to 0") as caught:
        run("doomed", LocalWorkers(setup, 1))
    assert "--resume" in caught.value.hint
    assert not list(tmp_path.iterdir())


class Picky(FakeModel):
    """Fails on frame 4."""

    def sample(self, trace, chunk, options, references=None, counts=None, predictions=None):
        if 4 in chunk.indices:
            raise RuntimeError("this frame is cursed")
        return super().sample(trace, chunk, options, references, counts, predictions)


@pytest.mark.parametrize("residues", [1, 10_000])
@pytest.mark.parametrize("count", [0, 2])
def test_one_bad_frame_does_not_lose_the_rest(
    input_folder, setup, forked_workers, tmp_path, monkeypatch, residues, count
):
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", residues)
    monkeypatch.setattr(remote, "_cached_model", lambda weights, device: Picky())
    source = open_source([input_folder / "t.dcd"], input_folder / "cg.pdb")
    builder = LocalWorkers(setup, count) if count else None
    summary = backmap_trajectory(Picky(), source, tmp_path / "a.trr", builder=builder)
    assert summary.n_frames == 7
    assert sorted(summary.problems) == [3, 4]
    assert summary.problems[4] == "could not be built (this frame is cursed)"


@pytest.mark.parametrize("bfactor", ["confidence", None])
def test_confidence_does_not_depend_on_workers(run, setup, forked_workers, monkeypatch, tmp_path, bfactor):
    monkeypatch.setattr(FakeModel, "calibration", linear_calibration())
    *_, rows = run("alone", bfactor=bfactor)
    *_, rows_of_workers = run("shared", LocalWorkers(setup, 2), bfactor=bfactor)
    assert rows == rows_of_workers
    assert all(0 < row["confidence"]["chi1"] < 1 for row in rows)
    tables, topologies = (
        [(tmp_path / f"{name}{suffix}").read_text() for name in ("alone", "shared")]
        for suffix in (".report.json", ".top.pdb")
    )
    confidence = [json.loads(table)["confidence"] for table in tables]
    assert confidence[0] == confidence[1]
    assert topologies[0] == topologies[1]


def test_weights_without_a_calibration(run, tmp_path):
    with pytest.raises(WeightsError, match="no calibration"):
        run("uncalibrated", bfactor="confidence")
    assert not list(tmp_path.iterdir())
    *_, rows = run("plain")
    assert "confidence" not in rows[0]
