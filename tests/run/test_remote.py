"""What a worker does with a chunk, and how its errors travel."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from cg_files import FakeModel, walk
from peptides import structure

from latcpb_cli import __version__
from latcpb_cli.errors import InputError, WorkerMismatchError
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run import remote
from latcpb_cli.run.chunk_job import ChunkJob, ModelIdentity
from latcpb_cli.run.measure import measure_chunk
from latcpb_cli.run.remote import build_remotely, load_model, portable_error
from latcpb_cli.run.worker_process import WorkerSetup
from latcpb_cli.structure import FrameChunk
from latcpb_cli.weights import MODEL_FILE

TRACE = structure("AKF").trace
JOB = ChunkJob(TRACE, BackmapOptions(), (-1e6, 1e6))
CHUNK = FrameChunk(walk(3, 2), np.zeros(2), np.zeros((2, 6), np.float32), np.arange(2))


class UnpicklableError(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.callback = lambda: None


@pytest.fixture
def loaded(monkeypatch) -> list[tuple[str, str]]:
    """Every load of a model, which is a stand-in."""
    loads: list[tuple[str, str]] = []

    def from_pretrained(weights=None, *, device="auto"):
        loads.append((weights, device))
        return FakeModel()

    monkeypatch.setattr(remote.LoadedModel, "from_pretrained", from_pretrained)
    remote._cached_model.cache_clear()
    yield loads
    remote._cached_model.cache_clear()


def test_a_model_is_loaded_once(loaded):
    setup = WorkerSetup("mine", "cpu")
    assert load_model(setup) is load_model(WorkerSetup("mine", "cpu", threads=3))
    assert load_model(WorkerSetup("other", "cpu")) is not load_model(setup)
    assert loaded[:2] == [("mine", "cpu"), ("other", "cpu")]


def test_threads_of_a_worker_share_a_model(loaded, monkeypatch):
    load = remote.LoadedModel.from_pretrained

    def slow(weights=None, *, device="auto"):
        time.sleep(0.05)
        return load(weights, device=device)

    monkeypatch.setattr(remote.LoadedModel, "from_pretrained", slow)
    with ThreadPoolExecutor(4) as threads:
        models = list(threads.map(load_model, [WorkerSetup("mine", "cpu")] * 4))
    assert len(loaded) == len({id(model) for model in models}) == 1


def test_a_chunk_is_built_and_measured_with_the_threads_of_the_setup(loaded, monkeypatch):
    threads = []
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    measured = build_remotely(WorkerSetup("mine", "cpu", threads=3), JOB, CHUNK)
    assert threads == [3]
    expected = measure_chunk(JOB, JOB.build(FakeModel(), CHUNK))
    np.testing.assert_array_equal(measured.atoms, expected.atoms)
    assert measured.rows == expected.rows


@pytest.mark.parametrize(
    ("version", "checksums", "message"),
    [
        (__version__, {MODEL_FILE: "0" * 64}, ""),
        ("0.0.9", {MODEL_FILE: "0" * 64}, f"has latcpb {__version__}, not 0.0.9$"),
        (__version__, {MODEL_FILE: "1" * 64}, f"has {MODEL_FILE} {'0' * 12}, not {'1' * 12}$"),
        (__version__, {MODEL_FILE: "0" * 63 + "1"}, f"has {MODEL_FILE} "),
        (__version__, {MODEL_FILE: "0" * 64, "config.json": "2" * 64}, "has config.json missing, not 2222"),
        (__version__, {}, f"has {MODEL_FILE} 0000.*, not missing"),
    ],
)
def test_a_worker_with_another_version_or_other_weights_builds_nothing(loaded, version, checksums, message):
    job = replace(JOB, identity=ModelIdentity(version, checksums))
    if not message:
        assert build_remotely(WorkerSetup("mine", "cpu"), job, CHUNK).error is None
        return
    with pytest.raises(WorkerMismatchError, match=message):
        build_remotely(WorkerSetup("mine", "cpu"), job, CHUNK)


def test_an_error_that_cannot_be_pickled_is_replaced(loaded, monkeypatch):
    def fail(*arguments):
        raise UnpicklableError("bad luck\nand more")

    monkeypatch.setattr(FakeModel, "sample", fail)
    measured = build_remotely(WorkerSetup("mine", "cpu"), JOB, CHUNK)
    assert isinstance(measured.error, RuntimeError)
    assert str(measured.error) == "UnpicklableError: bad luck"


def test_errors_that_can_be_pickled_stay_what_they_are():
    error = InputError("message", "hint")
    assert portable_error(error) is error
