"""Chunks of frames built by other processes, on this machine or on a cluster.

The main process reads, hands out chunks, puts the answers in order and writes: workers need neither the input
nor the output. A chunk whose worker was lost is done again. Since a frame's numbers do not depend on what
is computed beside it, the output has the same bytes for any number of workers.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing.connection import Connection, wait
from typing import Any

import torch

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.errors import LatcpbError, UsageError, WorkersLostError, first_line
from latcpb_cli.run.chunk_job import RESIDUES_PER_CHUNK, ChunkJob, MeasuredChunk
from latcpb_cli.run.malloc import keep_freed_memory
from latcpb_cli.structure import FrameChunk

__all__ = ["ClusterWorkers", "LocalWorkers", "Setup", "worthwhile_workers"]

_TRIES = 3
"""How often a chunk is handed out before its workers are taken to die of it."""
_WORTHWHILE = 30_000
"""Residues that one process builds in the time it takes to start another, several times over."""
_MOST_BY_ITSELF = 16
"""Each process holds a model, so that more of them are a decision about memory."""


def worthwhile_workers(residues: int, structures: int, device: str) -> int:
    """How many processes so many structures are worth: one for each thread of torch, or none.

    Threads wait for each other where processes do not. There are none for short runs, for
    frames so large that memory matters, and on a GPU.
    """
    if device != "cpu" or residues > RESIDUES_PER_CHUNK:
        return 0
    count = min(torch.get_num_threads(), _MOST_BY_ITSELF)
    return count if count > 1 and residues * structures >= count * _WORTHWHILE else 0


@dataclass(frozen=True)
class Setup:
    """How a worker gets its model: see `Backmapper.from_pretrained`; ``threads`` are those of torch."""

    weights: str | None
    device: str
    threads: int = 1


@dataclass
class _Job:
    number: int
    chunk: FrameChunk
    tries: int = 0

    def lost(self) -> None:
        """Count a try whose worker was lost."""
        self.tries += 1
        if self.tries >= _TRIES:
            first, last = self.chunk.indices[0], self.chunk.indices[-1]
            raise WorkersLostError(
                f"{self.tries} workers were lost over frames {first} to {last}",
                "out of memory? use fewer workers, then give the same command with --resume",
            )


class LocalWorkers:
    """Worker processes on this machine, for one run; they begin to load their model at once.

    Parameters
    ----------
    setup : Setup
    count : int
    """

    def __init__(self, setup: Setup, count: int) -> None:
        self.count = count
        self._workers = [_Worker(setup, number) for number in range(count)]

    def wait(self) -> None:
        """Wait until all of them have loaded their model, or have failed to."""
        for worker in self._workers:
            worker.greet()

    def build(self, recipe: ChunkJob, chunks: Iterable[FrameChunk]) -> Generator[MeasuredChunk, None, None]:
        """Build and measure chunks; they come back in their order.

        Raises
        ------
        WorkersLostError
            One chunk's workers were lost again and again.
        """
        jobs = (_Job(number, chunk) for number, chunk in enumerate(chunks))
        again: deque[_Job] = deque()
        workers = self._workers
        finished: dict[int, MeasuredChunk] = {}
        given = taken = 0
        try:
            while True:
                for worker in workers:
                    # Not further ahead than answers that can be held while the first is waited for.
                    if worker.job is None and (again or given < taken + 2 * self.count):
                        job = again.popleft() if again else next(jobs, None)
                        if job is not None:
                            given = max(given, job.number + 1)
                            worker.give(recipe, job)
                if given == taken:
                    return
                for worker in _ready(workers):
                    job = worker.job
                    assert job is not None  # or it would not be listened to
                    try:
                        finished[job.number] = worker.take()
                    except EOFError:
                        job.lost()
                        again.append(job)
                        worker.start()
                while taken in finished:
                    yield finished.pop(taken)
                    taken += 1
        finally:
            for worker in workers:
                worker.end()


class _Worker:
    """One process, and the job that it has."""

    def __init__(self, setup: Setup, number: int) -> None:
        gpus = torch.cuda.device_count() if setup.device == "cuda" else 0
        device = f"cuda:{number % gpus}" if gpus else setup.device
        self._setup = Setup(setup.weights, device, setup.threads)
        self.job: _Job | None = None
        self.start()

    def start(self) -> None:
        """Start the process, again where it was lost."""
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, self._setup), daemon=True)
        self.process.start()
        theirs.close()
        self.job = None

    def greet(self) -> None:
        """Wait until the process is ready. Whatever goes wrong comes up with its first job."""
        with suppress(EOFError, OSError):
            self.pipe.send(None)
            self.pipe.recv()

    def give(self, recipe: ChunkJob, job: _Job) -> None:
        """Hand out a job; a worker that is gone is noticed by who listens to it."""
        self.job = job
        with suppress(OSError):
            self.pipe.send((recipe, job.chunk))

    def take(self) -> MeasuredChunk:
        """Take the answer.

        Raises
        ------
        EOFError
            The process is gone.
        """
        try:
            answer = self.pipe.recv()
        except OSError as error:
            raise EOFError from error
        self.job = None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self) -> None:
        """End the process, whatever it does."""
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def _ready(workers: Iterable[_Worker]) -> list[_Worker]:
    """Wait until some of the workers that have a job answer or are gone."""
    busy: dict[Any, _Worker] = {worker.pipe: worker for worker in workers if worker.job is not None}
    return [busy[pipe] for pipe in wait(list(busy))]


def _serve(pipe: Connection, setup: Setup) -> None:
    """Load the model and answer job after job, until the main process is gone."""
    # Ctrl-C goes to all processes of a terminal; the main one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()
    with suppress(LatcpbError):  # which the first job meets again
        _model(setup.weights, setup.device)
    with suppress(EOFError, BrokenPipeError):
        while True:
            job = pipe.recv()
            answer: MeasuredChunk | Exception | None = None
            if job is not None:
                try:
                    answer = build_remotely(setup, *job)
                except Exception as error:
                    answer = _portable(error)
            pipe.send(answer)


def build_remotely(setup: Setup, recipe: ChunkJob, chunk: FrameChunk) -> MeasuredChunk:
    """Build and measure a chunk with this process's model, which is loaded once."""
    torch.set_num_threads(setup.threads)
    found = recipe.measure(recipe.build(_model(setup.weights, setup.device), chunk))
    return found if found.error is None else replace(found, error=_portable(found.error))


@lru_cache(maxsize=1)
def _model(weights: str | None, device: str) -> Backmapper:
    return Backmapper.from_pretrained(weights, device=device)


def _portable(error: Exception) -> Exception:
    """An error that survives the way to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {first_line(error)}")
    return error


class ClusterWorkers:
    """Workers of a Dask cluster; they need the same version of latcpb and the weights.

    Parameters
    ----------
    setup : Setup
    address : str
        Of the scheduler, for instance ``tcp://host:8786``.

    Raises
    ------
    UsageError
        Dask is not installed.
    """

    count = 1  # workers come and go

    def __init__(self, setup: Setup, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise UsageError(
                "--scheduler needs Dask distributed", "pip install 'latcpb-cli[cluster]'"
            ) from None
        self._setup, self._address, self._dask = setup, address, distributed

    def build(self, recipe: ChunkJob, chunks: Iterable[FrameChunk]) -> Generator[MeasuredChunk, None, None]:
        """Build and measure chunks; they come back in their order.

        Raises
        ------
        UsageError
            There is no scheduler at this address.
        WorkersLostError
            One chunk's workers were lost again and again.
        """
        try:
            client = self._dask.Client(self._address, timeout=10, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UsageError(f"--scheduler {self._address}: {first_line(error)}", "is it running?") from None
        with client:
            waiting: deque[tuple[FrameChunk, Any]] = deque()
            for chunk in chunks:
                waiting.append((chunk, client.submit(build_remotely, self._setup, recipe, chunk, pure=False)))
                # As many chunks as cores, twice: workers must not wait for who writes.
                while len(waiting) >= max(2, 2 * sum(client.nthreads().values())):
                    yield self._answer(*waiting.popleft())
            while waiting:
                yield self._answer(*waiting.popleft())

    def _answer(self, chunk: FrameChunk, future: Any) -> MeasuredChunk:
        try:
            return future.result()
        except LatcpbError:
            raise
        except self._dask.scheduler.KilledWorker as error:
            raise WorkersLostError(
                f"workers were lost over frames {chunk.indices[0]} to {chunk.indices[-1]}",
                "out of memory? give workers more, then give the same command with --resume",
            ) from error
