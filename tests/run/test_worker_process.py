"""The loop of a worker process."""

from __future__ import annotations

import signal
import threading
from multiprocessing import Pipe

import numpy as np
import pytest
from cg_files import FakeModel, walk
from peptides import structure

from latcpb_cli.diffusion.step_counter import Steps
from latcpb_cli.errors import UsageError, WeightsError
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run import remote
from latcpb_cli.run.chunk_job import ChunkJob
from latcpb_cli.run.worker_process import WorkerSetup, serve
from latcpb_cli.structure import FrameChunk

JOB = ChunkJob(structure("AKF").trace, BackmapOptions(), (-1e6, 1e6))


def chunk(frame: int) -> FrameChunk:
    return FrameChunk(walk(3, 1), np.zeros(1), np.zeros((1, 6), np.float32), np.array([frame]))


@pytest.fixture
def pipe(monkeypatch):
    """The main end of the pipe of a worker, which runs in a thread; it closes with the test."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # a thread may not set signals
    monkeypatch.setattr(remote, "_cached_model", lambda weights, device: FakeModel())
    ours, theirs = Pipe()
    setup = WorkerSetup(None, "cpu", initializer=lambda: steps.append("initialized"))
    steps: list[str] = []
    thread = threading.Thread(target=serve, args=(theirs, setup))
    thread.start()
    yield ours
    ours.close()
    thread.join(timeout=10)
    assert not thread.is_alive(), "the worker ends with the pipe"
    assert steps == ["initialized"]


def test_chunks_come_back_measured(pipe):
    pipe.send(None)
    assert pipe.recv() is None
    for frame in (3, 4):
        pipe.send((JOB, chunk(frame)))
        assert pipe.recv().chunk.indices.tolist() == [frame]


def test_steps_are_sent_before_the_result(pipe, monkeypatch):
    sample = FakeModel.sample

    def reporting(self, *arguments):
        self._on_steps(Steps(340, 1000, 0.34))
        return sample(self, *arguments)

    monkeypatch.setattr(FakeModel, "sample", reporting)
    pipe.send((JOB, chunk(5)))
    assert pipe.recv() == Steps(340, 1000, 0.34)
    assert pipe.recv().chunk.indices.tolist() == [5]


@pytest.mark.parametrize("error", [UsageError("no", "hint"), MemoryError("none left")])
def test_errors_are_sent_and_the_worker_goes_on(pipe, monkeypatch, error):
    with monkeypatch.context() as patch:
        patch.setattr(ChunkJob, "build", lambda *_: (_ for _ in ()).throw(error))
        pipe.send((JOB, chunk(0)))
        received = pipe.recv()
    assert (type(received), received.args) == (type(error), error.args)
    pipe.send((JOB, chunk(1)))
    assert pipe.recv().chunk.indices.tolist() == [1]


def test_a_model_that_cannot_be_loaded_is_an_error_of_the_first_chunk(pipe, monkeypatch):
    def fail(setup: WorkerSetup) -> None:
        raise WeightsError("no directory nowhere")

    monkeypatch.setattr(remote, "load_model", fail)
    pipe.send((JOB, chunk(0)))
    received = pipe.recv()
    assert isinstance(received, WeightsError)


@pytest.mark.parametrize("error", [EOFError, ConnectionResetError, BrokenPipeError])
def test_a_main_process_that_is_gone_is_no_traceback(monkeypatch, error):
    class Broken:
        def recv(self):
            raise error

    monkeypatch.setattr(remote, "_cached_model", lambda weights, device: FakeModel())
    monkeypatch.setattr("signal.signal", lambda *_: None)
    serve(Broken(), WorkerSetup(None, "cpu"))
