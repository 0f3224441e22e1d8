"""Workers: their number, and what happens to them, does not change a byte."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from cg_files import FakeBackmapper, walk, write_ca_pdb, write_trajectory
from tiny import tiny_weights

from latcpb_cli import parallel, pipeline
from latcpb_cli.backmapper import Backmapper
from latcpb_cli.errors import UsageError, WeightsError, WorkersLostError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.run.pipeline import backmap_trajectory
from latcpb_cli.run.workers import ClusterWorkers, LocalWorkers, Setup, worthwhile_workers

N_FRAMES = 7


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a model, a topology and a trajectory, one frame of it not sound."""
    folder = tmp_path_factory.mktemp("parallel")
    tiny_weights(folder / "weights")
    # So long that a block of the model is one frame.
    positions = walk(260, N_FRAMES)
    positions[3, 5] = np.nan
    write_ca_pdb(folder / "cg.pdb", "ACDEFGHIKLMNPQRSTVWY" * 13, positions[:1])
    write_trajectory(folder / "t.dcd", positions)
    return folder


@pytest.fixture
def run(place, tmp_path, monkeypatch):
    """Backmap with one frame per chunk; gives bytes and the rows of the report."""
    monkeypatch.setattr(pipeline, "RESIDUES_PER_CHUNK", 1)

    def call(name: str, builder=None, model=None, **options) -> tuple[bytes, bytes, list]:
        source = open_source([place / "t.dcd"], place / "cg.pdb")
        report = tmp_path / f"{name}.report.json"
        output = tmp_path / f"{name}.trr"
        backmap_trajectory(
            model or FakeBackmapper(), source, output, report=report, builder=builder, **options
        )
        rows = json.loads(report.read_text())["frames"]
        return output.read_bytes(), report.with_suffix(".csv").read_bytes(), rows

    return call


@pytest.fixture
def setup(place) -> Setup:
    return Setup(str(place / "weights"), "cpu")


@pytest.fixture
def started(monkeypatch) -> list[int]:
    """Numbers of the worker processes, in the order in which they are started."""
    pids: list[int] = []
    start = parallel._Worker.start

    def watched(self) -> None:
        start(self)
        pids.append(self.process.pid)

    monkeypatch.setattr(parallel._Worker, "start", watched)
    return pids


@pytest.fixture
def at_once(monkeypatch) -> None:
    """Workers that start at once, with a stand-in for the model."""
    context = multiprocessing.get_context("fork")
    monkeypatch.setattr(parallel.multiprocessing, "get_context", lambda kind: context)
    monkeypatch.setattr(parallel, "_model", lambda weights, device: Unhurried())


class Unhurried(FakeBackmapper):
    def sample(self, trace, chunk, **options):
        time.sleep(0.2 if chunk.indices[0] in (0, 4) else 0.05)
        return super().sample(trace, chunk, **options)


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
    monkeypatch.setattr(parallel.torch, "get_num_threads", lambda: threads)
    assert worthwhile_workers(residues, structures, device) == expected


def test_waiting_for_workers_that_cannot_load_leaves_the_error_to_the_first_job(run, tmp_path):
    workers = LocalWorkers(Setup(str(tmp_path / "nowhere"), "cpu"), 1)
    workers.wait()
    with pytest.raises(WeightsError):
        run("unloaded", workers)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("victim", [None, 0, -1])
def test_any_number_of_workers_killed_or_not(run, setup, started, at_once, monkeypatch, count, victim):
    """Frames come back in order, whoever is late or lost."""

    def kill(done: int) -> None:
        if done == 2 and victim is not None:
            os.kill(started[victim], signal.SIGKILL)

    made = run("workers", LocalWorkers(setup, count), on_progress=kill)
    assert len(started) >= count
    monkeypatch.setattr(pipeline, "RESIDUES_PER_CHUNK", 10_000)
    assert made == run("alone")


@pytest.mark.slow
def test_frames_are_asked_once_for_all_workers(run, setup, place):
    model, options = Backmapper.from_pretrained(place / "weights", device="cpu"), {"coherence": 3.0}
    made = run("workers", LocalWorkers(setup, 2), model, **options)
    assert made == run("alone", model=model, **options)
    assert made[0] != run("unasked", model=model)[0]


@pytest.mark.slow
def test_the_model_in_three_processes_one_of_them_killed(run, setup, started, place, monkeypatch):
    def kill(done: int) -> None:
        if done == 2:
            os.kill(started[1], signal.SIGKILL)

    model = Backmapper.from_pretrained(place / "weights", device="cpu")
    made = run("workers", LocalWorkers(setup, 3), model, on_progress=kill)
    monkeypatch.setattr(pipeline, "RESIDUES_PER_CHUNK", 10_000)
    assert made == run("alone", model=model)


def test_a_chunk_that_kills_its_workers_is_given_up(run, setup, monkeypatch, tmp_path):
    start = parallel._Worker.start

    def doomed(self) -> None:
        start(self)
        self.process.kill()

    monkeypatch.setattr(parallel._Worker, "start", doomed)
    with pytest.raises(WorkersLostError, match="3 workers were lost over frames 0 to 0") as caught:
        run("doomed", LocalWorkers(setup, 1))
    assert "--resume" in caught.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_errors_of_workers_arrive(run, tmp_path):
    with pytest.raises(WeightsError, match="no directory"):
        run("errors", LocalWorkers(Setup(str(tmp_path / "nowhere"), "cpu"), 1))


def test_no_scheduler(run, setup):
    pytest.importorskip("distributed")
    with pytest.raises(UsageError, match="--scheduler nonsense://here: unknown address scheme"):
        run("none", ClusterWorkers(setup, "nonsense://here"))


@pytest.mark.slow
def test_dask_cluster_loses_a_worker(run, setup, place):
    distributed = pytest.importorskip("distributed")
    killed = threading.Event()
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:

        def kill(done: int) -> None:
            if done >= 2 and not killed.is_set():
                killed.set()
                os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

        model = Backmapper.from_pretrained(place / "weights", device="cpu")
        made = run("dask", ClusterWorkers(setup, cluster.scheduler_address), model, on_progress=kill)
    assert killed.is_set()
    assert made == run("alone", model=model)


class Picky(FakeBackmapper):
    """Fails on one frame."""

    def sample(self, trace, chunk, **options):
        if 4 in chunk.indices:
            raise RuntimeError("this frame is cursed")
        return super().sample(trace, chunk, **options)


@pytest.mark.parametrize("residues", [1, 10_000])
@pytest.mark.parametrize("workers", [0, 2])
def test_one_bad_frame_does_not_lose_the_rest(
    place, setup, at_once, tmp_path, monkeypatch, residues, workers
):
    monkeypatch.setattr(pipeline, "RESIDUES_PER_CHUNK", residues)
    monkeypatch.setattr(parallel, "_model", lambda weights, device: Picky())
    source = open_source([place / "t.dcd"], place / "cg.pdb")
    report = tmp_path / "a.report.json"
    builder = LocalWorkers(setup, workers) if workers else None
    summary = backmap_trajectory(Picky(), source, tmp_path / "a.trr", report=report, builder=builder)
    assert summary.n_frames == N_FRAMES
    assert source.problems[4] == "could not be built (this frame is cursed)"
    assert json.loads(report.read_text())["provenance"]["frames_with_problems"] == 2
