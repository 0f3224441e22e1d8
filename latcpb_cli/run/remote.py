"""What a worker process does: load a model once, then build and measure chunks."""

from __future__ import annotations

import pickle
import socket
from dataclasses import replace
from functools import lru_cache

import torch

from latcpb_cli import __version__
from latcpb_cli.errors import WorkerMismatchError, first_line
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.run.chunk_job import ChunkJob, ModelIdentity
from latcpb_cli.run.measure import MeasuredChunk, measure_chunk
from latcpb_cli.run.worker_process import WorkerSetup
from latcpb_cli.structure import FrameChunk

__all__ = ["build_remotely", "load_model", "portable_error"]


def load_model(setup: WorkerSetup) -> LoadedModel:
    """The model of this process, which is loaded once.

    Raises
    ------
    WeightsError, UsageError
    """
    return _cached_model(setup.weights, setup.device)


@lru_cache(maxsize=1)
def _cached_model(weights: str | None, device: str) -> LoadedModel:
    return LoadedModel.from_pretrained(weights, device=device)


def build_remotely(setup: WorkerSetup, job: ChunkJob, chunk: FrameChunk) -> MeasuredChunk:
    """Build and measure a chunk with the model of this process.

    Raises
    ------
    WorkerMismatchError
        This process has another version of latcpb, or other weights, than the one that writes.
    """
    torch.set_num_threads(setup.threads)
    model = load_model(setup)
    own = ModelIdentity(__version__, model.weights_sha256)
    if job.identity is not None and own != job.identity:
        raise WorkerMismatchError(
            f"worker on {socket.gethostname()}: latcpb {own.version} with weights {own.weights_sha256[:12]}, "
            f"where this run has {job.identity.version} with {job.identity.weights_sha256[:12]}",
            "install the same version and weights on all workers",
        )
    measured = measure_chunk(job, job.build(model, chunk))
    if measured.error is None:
        return measured
    return replace(measured, error=portable_error(measured.error))


def portable_error(error: Exception) -> Exception:
    """The error itself where it can be pickled, else one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {first_line(error)}")
    return error
