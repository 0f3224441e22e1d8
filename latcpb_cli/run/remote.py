"""What a worker process does: load a model once, then build and measure chunks."""

from __future__ import annotations

import pickle
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from latcpb_cli import __version__
from latcpb_cli.diffusion.step_counter import OnSteps
from latcpb_cli.errors import WorkerMismatchError, first_line
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.run.chunk_job import ChunkJob, ModelIdentity
from latcpb_cli.run.measure import MeasuredChunk, measure_chunk
from latcpb_cli.run.worker_process import WorkerSetup
from latcpb_cli.structure import FrameChunk

__all__ = ["RemoteCall", "answer", "build_remotely", "load_model", "portable_error"]


_LOADING = threading.Lock()
"""A worker of Dask has several threads, of which the first one loads the model for all."""


@dataclass(frozen=True)
class RemoteCall:
    """A call of `answer`: unpickling it returns the result of the call.

    A worker of a cluster gets a pickled call as bytes, and unpickles it as its task. Where its installation
    cannot do that, the task fails; a worker that cannot read a message of Dask ends without an error.

    Attributes
    ----------
    version, request
        See `answer`.
    """

    version: str
    request: bytes

    def __reduce__(self) -> tuple[Callable[[str, bytes], bytes], tuple[str, bytes]]:
        return answer, (self.version, self.request)


def answer(version: str, request: bytes) -> bytes:
    """Build a chunk in the process of a cluster's worker; every version has this function.

    Parameters
    ----------
    version : str
        Of latcpb in the process that writes.
    request : bytes
        The pickled arguments of `build_remotely`.

    Returns
    -------
    bytes
        The pickled result, or the error.

    Raises
    ------
    WorkerMismatchError
        This process has another version of latcpb, or cannot read the request.
    """
    if version != __version__:
        raise _mismatch(f"latcpb {__version__}, not {version}")
    try:
        arguments = pickle.loads(request)
    except Exception as error:
        raise _mismatch(f"a latcpb that cannot read its task ({first_line(error)})") from error
    result: MeasuredChunk | Exception
    try:
        result = build_remotely(*arguments)
    except Exception as error:
        result = portable_error(error)
    return pickle.dumps(result)


def load_model(setup: WorkerSetup) -> LoadedModel:
    """The model of this process, which is loaded once.

    Raises
    ------
    WeightsError, UsageError
    """
    with _LOADING:
        return _cached_model(setup.weights, setup.device)


@lru_cache(maxsize=1)
def _cached_model(weights: str | None, device: str) -> LoadedModel:
    return LoadedModel.from_pretrained(weights, device=device)


def build_remotely(
    setup: WorkerSetup, job: ChunkJob, chunk: FrameChunk, on_steps: OnSteps | None = None
) -> MeasuredChunk:
    """Build and measure a chunk with the model of this process, which may report its steps.

    Raises
    ------
    WorkerMismatchError
        This process has another version of latcpb, or other weights, than the one that writes.
    """
    torch.set_num_threads(setup.threads)
    model = load_model(setup)
    own = ModelIdentity(__version__, model.checksums)
    if job.identity is not None and (differences := own.differences(job.identity)):
        raise _mismatch("; ".join(differences))
    measured = measure_chunk(job, job.build(model.reporting(on_steps), chunk))
    if measured.error is None:
        return measured
    return replace(measured, error=portable_error(measured.error))


def _mismatch(difference: str) -> WorkerMismatchError:
    return WorkerMismatchError(
        f"the worker on {socket.gethostname()} has {difference}",
        "install the same version and weights on all workers",
    )


def portable_error(error: Exception) -> Exception:
    """The error itself where it can be pickled, else one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {first_line(error)}")
    return error
