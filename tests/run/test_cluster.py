"""Workers of a Dask cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from latcpb_cli.errors import UsageError, WorkersLostError
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.run.cluster import ClusterWorkers


def test_dask_is_required(setup, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="needs Dask") as caught:
        ClusterWorkers(setup, "tcp://127.0.0.1:1")
    assert "latcpb-cli[cluster]" in caught.value.hint


def test_no_scheduler(run, setup):
    pytest.importorskip("distributed")
    with pytest.raises(WorkersLostError, match="--scheduler nonsense://here: unknown address scheme"):
        run("none", ClusterWorkers(setup, "nonsense://here"))
    with pytest.raises(WorkersLostError, match="--scheduler tcp://127.0.0.1:1: ") as caught:
        run("closed", ClusterWorkers(setup, "tcp://127.0.0.1:1"))
    assert "running" in caught.value.hint


@pytest.mark.slow
def test_the_scheduler_is_lost(run, setup, input_folder, monkeypatch):
    """Its end is reported within seconds, and what was done can be resumed."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(LoadedModel, "frames_per_block", lambda self, residues: 1)
    script = "import time, distributed; c = distributed.LocalCluster(n_workers=1, dashboard_address=None); "
    script += "print(c.scheduler_address, flush=True); time.sleep(600)"
    command = [sys.executable, "-c", f"if __name__ == '__main__':\n {script}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert distributed is not None
    address = process.stdout.readline().strip()

    def kill(done: int) -> None:
        if done == 2:
            os.killpg(process.pid, signal.SIGKILL)
            killed.append(time.monotonic())

    model = LoadedModel.from_pretrained(input_folder / "weights", device="cpu")
    killed: list[float] = []
    with pytest.raises(WorkersLostError, match="does not answer any more") as caught:
        run("lost", ClusterWorkers(setup, address), model, on_progress=kill)
    assert time.monotonic() - killed[0] < 30
    assert "--resume" in caught.value.hint


@pytest.mark.slow
def test_a_cluster_loses_a_worker(run, setup, input_folder, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(LoadedModel, "frames_per_block", lambda self, residues: 1)
    killed = threading.Event()
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=2, processes=True, dashboard_address=None
    ) as cluster:

        def kill(done: int) -> None:
            if done >= 2 and not killed.is_set():
                killed.set()
                os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

        model = LoadedModel.from_pretrained(input_folder / "weights", device="cpu")
        on_cluster = run("dask", ClusterWorkers(setup, cluster.scheduler_address), model, on_progress=kill)
    assert killed.is_set()
    assert on_cluster == run("alone", model=model)
