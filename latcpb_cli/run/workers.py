"""Chunks of frames built by other processes on this machine.

The main process reads, hands out chunks, puts the results in order and writes: workers need neither the
input nor the output. A chunk whose worker was lost is built again. Since a frame's numbers do not depend on
what is computed with it, the output has the same bytes for any number of workers.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from typing import Any

import torch

from latcpb_cli.diffusion.step_counter import OnSteps, Steps
from latcpb_cli.errors import WorkersLostError
from latcpb_cli.run.chunk_job import RESIDUES_PER_CHUNK, ChunkJob
from latcpb_cli.run.measure import MeasuredChunk
from latcpb_cli.run.worker_process import WorkerSetup, serve
from latcpb_cli.structure import FrameChunk

__all__ = ["LocalWorkers", "worthwhile_workers"]

_MAX_TRIES = 3
"""How often a chunk is handed out before the loss of its workers is blamed on it."""
_WORTHWHILE_RESIDUES = 30_000
"""Residues that one process builds in the time it takes to start another, several times over."""
_MAX_DEFAULT_WORKERS = 16
"""Each process holds a model, so that more of them are a decision about memory."""


def worthwhile_workers(residues: int, structures: int, device: str) -> int:
    """How many processes so many structures are worth: one for each thread of torch, or none.

    Threads wait for each other where processes do not. There are none for short runs, for
    frames so large that memory matters, and on a GPU.
    """
    if device != "cpu" or residues > RESIDUES_PER_CHUNK:
        return 0
    count = min(torch.get_num_threads(), _MAX_DEFAULT_WORKERS)
    return count if count > 1 and residues * structures >= count * _WORTHWHILE_RESIDUES else 0


@dataclass
class _NumberedChunk:
    """A chunk, its number in the run, and how often its workers were lost."""

    number: int
    chunk: FrameChunk
    losses: int = 0

    def count_loss(self) -> None:
        """Count a try whose worker was lost.

        Raises
        ------
        WorkersLostError
            It was one too many.
        """
        self.losses += 1
        if self.losses >= _MAX_TRIES:
            first, last = self.chunk.indices[0], self.chunk.indices[-1]
            raise WorkersLostError(
                f"{self.losses} workers were lost over frames {first} to {last}",
                "out of memory? use fewer workers, then give the same command with --resume",
            )


class LocalWorkers:
    """Worker processes on this machine, for one run; they begin to load their model at once.

    Parameters
    ----------
    setup : WorkerSetup
    count : int
    on_steps : OnSteps, optional
        Called with the steps of the chunk that comes next, and the frames of all chunks being built.
    """

    def __init__(self, setup: WorkerSetup, count: int, on_steps: OnSteps | None = None) -> None:
        self.count, self._on_steps = count, on_steps
        self._workers = [_Worker(setup, number) for number in range(count)]

    def wait(self) -> None:
        """Wait until all of them have loaded their model, or have failed to."""
        for worker in self._workers:
            worker.wait_until_ready()

    def build(self, job: ChunkJob, chunks: Iterable[FrameChunk]) -> Generator[MeasuredChunk, None, None]:
        """Build and measure chunks; they come back in their order.

        Raises
        ------
        WorkersLostError
            One chunk's workers were lost again and again.
        """
        new = (_NumberedChunk(number, chunk) for number, chunk in enumerate(chunks))
        repeated: deque[_NumberedChunk] = deque()
        finished: dict[int, MeasuredChunk] = {}
        n_sent = n_returned = 0
        try:
            while True:
                for worker in self._workers:
                    # Not further ahead than results that can be held while the first is waited for.
                    if worker.task is None and (repeated or n_sent < n_returned + 2 * self.count):
                        task = repeated.popleft() if repeated else next(new, None)
                        if task is not None:
                            n_sent = max(n_sent, task.number + 1)
                            worker.send(job, task)
                if n_sent == n_returned:
                    return
                for worker in _wait_for_results(self._workers):
                    task = worker.task
                    assert task is not None  # or it would not be waited for
                    try:
                        if (result := worker.receive()) is not None:
                            finished[task.number] = result
                        elif self._on_steps is not None and (steps := self._steps(n_returned, finished)):
                            self._on_steps(steps)
                    except EOFError:
                        task.count_loss()
                        repeated.append(task)
                        worker.start()
                while n_returned in finished:
                    yield finished.pop(n_returned)
                    n_returned += 1
        finally:
            for worker in self._workers:
                worker.end()

    def _steps(self, next_number: int, finished: dict[int, MeasuredChunk]) -> Steps | None:
        """Steps of the chunk that comes next, if known, and the frames of all that are not returned yet."""
        known = {worker.task.number: worker.steps for worker in self._workers if worker.task and worker.steps}
        if next_number not in known:
            return None
        whole = sum(len(built.chunk) for built in finished.values())
        return replace(known[next_number], frames=whole + sum(steps.frames for steps in known.values()))


class _Worker:
    """One process, the chunk that it builds, and the steps of this chunk where they are known."""

    def __init__(self, setup: WorkerSetup, number: int) -> None:
        gpus = torch.cuda.device_count() if setup.device == "cuda" else 0
        device = f"cuda:{number % gpus}" if gpus else setup.device
        self._setup = replace(setup, device=device)
        self.task: _NumberedChunk | None = None
        self.steps: Steps | None = None
        self.start()

    def start(self) -> None:
        """Start the process, again where it was lost."""
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self._setup), daemon=True)
        self.process.start()
        theirs.close()
        self.task = self.steps = None

    def wait_until_ready(self) -> None:
        """Wait until the process is ready. Whatever goes wrong comes up with its first chunk."""
        with suppress(EOFError, OSError):
            self.pipe.send(None)
            self.pipe.recv()

    def send(self, job: ChunkJob, task: _NumberedChunk) -> None:
        """Send a chunk; the loss of a worker shows when its result is waited for."""
        self.task = task
        with suppress(OSError):
            self.pipe.send((job, task.chunk))

    def receive(self) -> MeasuredChunk | None:
        """Receive the result, or None where the worker sends its steps.

        Raises
        ------
        EOFError
            The process is gone.
        """
        try:
            result: MeasuredChunk | Exception | Steps = self.pipe.recv()
        except OSError as error:
            raise EOFError from error
        if isinstance(result, Steps):
            self.steps = result
            return None
        self.task = self.steps = None
        if isinstance(result, Exception):
            raise result
        return result

    def end(self) -> None:
        """End the process, whatever it does."""
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def _wait_for_results(workers: Iterable[_Worker]) -> list[_Worker]:
    """Wait until some of the workers that have a chunk send a result or are gone."""
    busy: dict[Any, _Worker] = {worker.pipe: worker for worker in workers if worker.task is not None}
    return [busy[pipe] for pipe in wait(list(busy))]
