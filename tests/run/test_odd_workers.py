"""Workers with other weights or another latcpb: what they build is right, or the run is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cg_files import walk, write_ca_pdb, write_trajectory
from odd_workers import (
    Change,
    Cluster,
    change_byte,
    config,
    cut_model,
    half_precision,
    lost,
    remove_confidence,
    save_tensors,
    unchanged,
    version,
    without_module,
    without_name,
    write_confidence,
)  # fmt: skip
from tiny import tiny_predictor, tiny_weights

from latcpb_cli import __version__
from latcpb_cli.errors import LatcpbError, WeightsError, WorkerMismatchError, WorkersLostError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.source import Source
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run import cluster, prepared_run
from latcpb_cli.run.cluster import ClusterWorkers
from latcpb_cli.run.pipeline import backmap_trajectory
from latcpb_cli.run.worker_process import WorkerSetup
from latcpb_cli.weights import CONFIDENCE_FILE, CONFIG_FILE, MODEL_FILE

distributed = pytest.importorskip("distributed")

MISMATCH, UNFIT = r"the worker on .* has ", r"a worker cannot run latcpb .*"
RIGHT = {
    "the same files under another name": unchanged,
    "another model card": lambda weights, _: (weights / "README.md").write_text("other words"),
    "files beside the weights": lambda weights, _: (weights / "notes.txt").write_text("mine"),
}  # fmt: skip
REFUSED: dict[str, tuple[Change, type[LatcpbError], str]] = {
    "one byte of weights": (
        lambda weights, _: change_byte(weights),
        WorkerMismatchError, MISMATCH + rf"{MODEL_FILE} \w{{12}}, not \w{{12}}$",
    ),
    "one byte of weights, with the old sum": (
        lambda weights, _: change_byte(weights, hashed=False), WeightsError, f"{MODEL_FILE}: sha256 is",
    ),
    "weights of another training": (
        lambda weights, _: save_tensors(weights, tiny_predictor(seed=1).state_dict()),
        WorkerMismatchError, MISMATCH + MODEL_FILE,
    ),
    "weights of half precision": (
        lambda weights, _: half_precision(weights), WorkerMismatchError, MISMATCH + MODEL_FILE
    ),
    "weights that are cut": (lambda weights, _: cut_model(weights), WeightsError, MODEL_FILE),
    "other neighbours": (config(neighbors=7), WorkerMismatchError, MISMATCH + CONFIG_FILE),
    "another radius": (config(cutoff=12.0), WorkerMismatchError, MISMATCH + CONFIG_FILE),
    "another schedule": (
        config(schedule={"steps": 20, "schedule": "linear"}), WorkerMismatchError, MISMATCH + CONFIG_FILE,
    ),
    "other numbers of noise levels": (
        config(schedule={"steps": 30, "schedule": "cosine"}), WorkerMismatchError, MISMATCH + CONFIG_FILE,
    ),
    "a default that is left out": (config(cartesian=None), WorkerMismatchError, MISMATCH + CONFIG_FILE),
    "a setting of a later version": (config(layers_of_2030=1), WeightsError, "unknown settings"),
    "no confidence": (
        lambda weights, _: remove_confidence(weights),
        WorkerMismatchError, MISMATCH + rf"{CONFIDENCE_FILE} missing, not \w{{12}}$",
    ),
    "another confidence": (
        lambda weights, _: write_confidence(weights, shift=0.1),
        WorkerMismatchError, MISMATCH + CONFIDENCE_FILE,
    ),
    "the confidence of other weights": (
        lambda weights, _: write_confidence(weights, of_others=True),
        WorkerMismatchError, MISMATCH + CONFIDENCE_FILE,
    ),
    "no weights": (
        lambda weights, _: weights.rename(weights.with_name("w2")), WeightsError, "no weights are called"
    ),
    "no sums": (lambda weights, _: (weights / "SHA256").unlink(), WeightsError, "holds no SHA256"),
    "no configuration": (lambda weights, _: (weights / CONFIG_FILE).unlink(), WeightsError, CONFIG_FILE),
    "an older version": (
        version("0.0.9"), WorkerMismatchError, MISMATCH + f"latcpb 0.0.9, not {__version__}"
    ),
    "a newer version": (version("2.0"), WorkerMismatchError, MISMATCH + "latcpb 2.0, not"),
    "a version of a checkout": (
        version(f"{__version__}+dev"), WorkerMismatchError, MISMATCH + "latcpb .*dev"
    ),
    "an older version with other records": (
        lambda *place: (version("0.0.9")(*place), without_module("latcpb_cli.run.chunk_job")(*place)),
        WorkerMismatchError, MISMATCH + "latcpb 0.0.9",
    ),
    "no latcpb": (without_module("latcpb_cli.run.remote"), WorkerMismatchError, UNFIT + "remote"),
    "a latcpb without remote calls": (
        without_name("latcpb_cli.run.remote.answer"), WorkerMismatchError, UNFIT + "answer",
    ),
    "a latcpb whose jobs are elsewhere": (
        without_module("latcpb_cli.run.chunk_job"), WorkerMismatchError, MISMATCH + ".*cannot read its task",
    ),
    "a latcpb without one of the records": (
        without_name("latcpb_cli.run.worker_process.WorkerSetup"),
        WorkerMismatchError, MISMATCH + ".*cannot read its task .*WorkerSetup",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def main(tmp_path_factory) -> Path:
    """The weights of the process that writes."""
    weights = tiny_weights(tmp_path_factory.mktemp("main") / "mine")
    write_confidence(weights)
    return weights


@pytest.fixture(scope="module")
def model(main) -> LoadedModel:
    return LoadedModel.from_pretrained(main, device="cpu")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Source:
    folder, positions = tmp_path_factory.mktemp("input"), walk(6, 3)
    top = write_ca_pdb(folder / "cg.pdb", "ACDEFG", positions[:1])
    return open_source([write_trajectory(folder / "t.dcd", positions)], top)


OPTIONS = BackmapOptions(without=("relief",))


@pytest.fixture(scope="module")
def alone(model, source, tmp_path_factory) -> bytes:
    """The output without workers."""
    path = tmp_path_factory.mktemp("alone") / "alone.trr"
    backmap_trajectory(model, source, path, OPTIONS)
    return path.read_bytes()


@pytest.fixture
def notes() -> list[str]:
    """What the run says."""
    return []


@pytest.fixture
def run(main, model, source, notes, tmp_path, monkeypatch):
    """Backmap three frames, one a chunk; each worker has a copy of the weights, changed in its own way."""
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    monkeypatch.setattr(LoadedModel, "frames_per_block", lambda self, residues: 1)

    def call(*changes: Change, resume: bool = False, n_waits: int = 0) -> bytes:
        workers = []
        for change in changes:
            workers.append((tmp_path / f"worker{len(list(tmp_path.glob('worker*')))}", change))
            shutil.copytree(main, workers[-1][0] / "weights")
        monkeypatch.setattr(ClusterWorkers, "_connect", lambda self: Cluster(workers, n_waits))
        builder = ClusterWorkers(WorkerSetup("weights", "cpu"), "tcp://nowhere", notes.append)
        options, path = replace(OPTIONS, resume=resume), tmp_path / "cluster.trr"
        backmap_trajectory(model, source, path, options, builder=builder)
        return path.read_bytes()

    return call


@pytest.mark.parametrize("name", RIGHT)
def test_workers_with_the_same_weights_build_the_same_bytes(run, alone, name):
    assert run(unchanged, RIGHT[name]) == alone


@pytest.mark.parametrize("name", REFUSED)
def test_other_workers_are_refused_before_their_first_chunk(run, tmp_path, name):
    change, error, message = REFUSED[name]
    with pytest.raises(error, match=message) as caught:
        run(change)
    assert caught.value.hint
    assert not list(tmp_path.glob("cluster*"))


@pytest.mark.parametrize("name", ["one byte of weights", "another schedule", "an older version", "no latcpb"])
def test_a_worker_that_joins_later_is_refused_and_the_run_goes_on_without_it(run, alone, tmp_path, name):
    change, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        run(unchanged, unchanged, change)
    assert not (tmp_path / "cluster.trr").exists()
    assert run(unchanged, resume=True) == alone


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (distributed.scheduler.KilledWorker("task", None, 3), "workers were lost over frames 1 to 1"),
        (distributed.client.FutureCancelledError("task", "lost"), "the scheduler does not answer any more"),
        (ConnectionError("closed"), "the scheduler does not answer any more"),
    ],
)
def test_a_worker_that_dies_before_its_first_chunk(run, alone, tmp_path, error, message):
    with pytest.raises(WorkersLostError, match=message):
        run(unchanged, lost(error))
    assert not (tmp_path / "cluster.trr").exists()
    assert run(unchanged, resume=True) == alone


def test_a_run_that_waits_for_its_first_worker_says_so_once(run, alone, notes, monkeypatch):
    monkeypatch.setattr(cluster, "_NO_WORKERS_SECONDS", -1.0)
    assert run(unchanged, n_waits=3) == alone
    assert notes == ["waiting for workers of tcp://nowhere: none has joined yet"]


def test_a_run_that_waits_a_moment_for_its_workers_says_nothing(run, alone, notes):
    assert run(unchanged, n_waits=3) == alone
    assert notes == []


HIDE_LATCPB = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "latcpb_cli":
            raise ModuleNotFoundError("No module named 'latcpb_cli'", name="latcpb_cli")

sys.meta_path.insert(0, Hidden())
"""


@pytest.mark.slow
@pytest.mark.parametrize("n_hidden", [1, 2])
def test_a_cluster_without_latcpb_is_refused_within_seconds(model, source, tmp_path, n_hidden):
    """The worker alone, or the scheduler too, lacks latcpb."""
    (tmp_path / "sitecustomize.py").write_text(HIDE_LATCPB)
    address = f"tcp://127.0.0.1:{distributed.utils.open_port('127.0.0.1')}"
    host, port = address.removeprefix("tcp://").split(":")
    commands = [
        ["dask_worker", address, "--nthreads", "1", "--local-directory", str(tmp_path)],
        ["dask_scheduler", "--host", host, "--port", port],
    ]
    processes = []
    for number, (program, *arguments) in enumerate(commands):
        path = str(tmp_path) if number < n_hidden else os.pathsep.join(sys.path)
        command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments, "--no-dashboard"]
        environment = {**os.environ, "PYTHONPATH": path}
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
    try:
        distributed.Client(address, timeout=60, set_as_default=False).close()
        started = time.monotonic()
        builder = ClusterWorkers(WorkerSetup("weights", "cpu"), address)
        with pytest.raises(WorkerMismatchError, match="a worker cannot run latcpb .*No module named"):
            backmap_trajectory(model, source, tmp_path / "o.trr", OPTIONS, builder=builder)
        assert time.monotonic() - started < 60
    finally:
        for process in processes:
            process.terminate()
            process.wait()
