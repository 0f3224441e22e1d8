"""A long trajectory, workers that start at once, and runs of one frame per chunk."""

from __future__ import annotations

import json
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest
from cg_files import FakeModel, walk, write_ca_pdb, write_trajectory
from tiny import tiny_weights

from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run import prepared_run, remote, workers
from latcpb_cli.run.pipeline import backmap_trajectory
from latcpb_cli.run.worker_process import WorkerSetup


@pytest.fixture(scope="session")
def input_folder(tmp_path_factory) -> Path:
    """A folder with weights, a topology and seven frames, of which number 3 lacks a position.

    The chain is so long that a block of the model is one frame.
    """
    folder = tmp_path_factory.mktemp("input")
    tiny_weights(folder / "weights")
    positions = walk(260, 7)
    positions[3, 5] = np.nan
    write_ca_pdb(folder / "cg.pdb", "ACDEFGHIKLMNPQRSTVWY" * 13, positions[:1])
    write_trajectory(folder / "t.dcd", positions)
    return folder


@pytest.fixture
def setup(input_folder) -> WorkerSetup:
    return WorkerSetup(str(input_folder / "weights"), "cpu")


@pytest.fixture
def run(input_folder, tmp_path, monkeypatch):
    """Backmap with one frame per chunk; returns bytes of output and CSV, and the rows of the report."""
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)

    def call(name: str, builder=None, model=None, on_progress=None, **options) -> tuple[bytes, bytes, list]:
        source = open_source([input_folder / "t.dcd"], input_folder / "cg.pdb")
        output, settings = tmp_path / f"{name}.trr", BackmapOptions(**options)
        model = model or FakeModel()
        backmap_trajectory(model, source, output, settings, builder=builder, on_progress=on_progress)
        rows = json.loads(output.with_suffix(".report.json").read_text())["frames"]
        return output.read_bytes(), output.with_suffix(".report.csv").read_bytes(), rows

    return call


class SlowModel(FakeModel):
    """Needs longest for frames 0 and 4."""

    def sample(self, trace, chunk, options, references=None, counts=None, predictions=None):
        time.sleep(0.2 if chunk.indices[0] in (0, 4) else 0.05)
        return super().sample(trace, chunk, options, references, counts, predictions)


@pytest.fixture
def forked_workers(monkeypatch) -> None:
    """Workers that start at once, with a stand-in for the model."""
    context = multiprocessing.get_context("fork")
    monkeypatch.setattr(workers.multiprocessing, "get_context", lambda method: context)
    monkeypatch.setattr(remote, "_cached_model", lambda weights, device: SlowModel())
