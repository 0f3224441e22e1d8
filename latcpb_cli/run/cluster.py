"""Chunks of frames built by the workers of a Dask cluster."""

from __future__ import annotations

import logging
import pickle
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import Any

from latcpb_cli import __version__
from latcpb_cli.errors import LatcpbError, UsageError, WorkerMismatchError, WorkersLostError, first_line
from latcpb_cli.run.chunk_job import ChunkJob
from latcpb_cli.run.measure import MeasuredChunk
from latcpb_cli.run.remote import RemoteCall
from latcpb_cli.run.worker_process import WorkerSetup
from latcpb_cli.structure import FrameChunk

__all__ = ["ClusterWorkers"]

_CONNECT_SECONDS = 5.0
"""After which a scheduler that does not answer counts as absent."""
_LOST_SECONDS = 5.0
"""After which a scheduler that was there and does not answer counts as lost."""
_POLL_SECONDS = 0.5
_NO_WORKERS_SECONDS = 5.0
"""After which a note says that a run waits for the first worker."""


class ClusterWorkers:
    """Workers of a Dask cluster; they need the same version of latcpb and the same weights.

    Parameters
    ----------
    setup : WorkerSetup
    address : str
        Of the scheduler, for instance ``tcp://host:8786``.
    on_note : callable, optional
        Called once with a sentence if the run waits because no worker has joined.

    Raises
    ------
    UsageError
        Dask is not installed.
    """

    count = 1  # workers come and go

    def __init__(
        self, setup: WorkerSetup, address: str, on_note: Callable[[str], None] | None = None
    ) -> None:
        try:
            import distributed
        except ImportError:
            raise UsageError(
                "--scheduler needs Dask distributed", "pip install 'latcpb-cli[cluster]'"
            ) from None
        # Its threads log tracebacks of every lost connection, which our errors report in one line.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._setup, self._address, self._dask = setup, address, distributed
        self._on_note = on_note

    def build(self, job: ChunkJob, chunks: Iterable[FrameChunk]) -> Generator[MeasuredChunk, None, None]:
        """Build and measure chunks; they come back in their order.

        Raises
        ------
        WorkersLostError
            No scheduler answers at this address, or one chunk's workers were lost again and again.
        WorkerMismatchError
            A worker has another version or other weights.
        """
        client = self._connect()
        try:
            waiting: deque[tuple[FrameChunk, Any]] = deque()
            for chunk in chunks:
                waiting.append((chunk, self._submit(client, job, chunk)))
                # As many chunks as cores, twice: workers must not wait for the writer.
                while len(waiting) >= 2 * max(1, self._n_threads(client)):
                    yield self._result(client, *waiting.popleft())
            while waiting:
                yield self._result(client, *waiting.popleft())
        except (OSError, self._dask.client.FutureCancelledError) as error:
            raise self._lost() from error
        finally:
            with suppress(OSError, TimeoutError):
                client.close(timeout=2)

    def _connect(self) -> Any:
        dask: Any = self._dask
        try:
            return dask.Client(self._address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise WorkersLostError(
                f"--scheduler {self._address}: {first_line(error)}", "is it running at this address?"
            ) from None

    def _n_threads(self, client: Any) -> int:
        """Threads of all workers at present; one where the scheduler does not answer."""
        try:
            threads: dict[str, int] = client.sync(client.scheduler.ncores, callback_timeout=_POLL_SECONDS)
        except (OSError, self._dask.TimeoutError):
            return 1
        return sum(threads.values())

    def _note_missing_workers(self, client: Any) -> None:
        """Give one note that the run waits if the cluster has no workers."""
        if self._on_note is None:
            return
        if self._n_threads(client) == 0:
            self._on_note(f"waiting for workers of {self._address}: none has joined yet")
        self._on_note = None

    def _lost(self) -> WorkersLostError:
        return WorkersLostError(
            f"--scheduler {self._address}: the scheduler does not answer any more",
            "start it again, then give the same command with --resume",
        )

    def _submit(self, client: Any, job: ChunkJob, chunk: FrameChunk) -> Any:
        """Send a chunk to a worker; neither it nor the scheduler needs latcpb to read what is sent."""
        call = RemoteCall(__version__, pickle.dumps((self._setup, job, chunk)))
        return client.submit(pickle.loads, pickle.dumps(call), pure=False)

    def _result(self, client: Any, chunk: FrameChunk, future: Any) -> MeasuredChunk:
        """Wait for a chunk; raise the error of its worker, if there is one."""
        result: MeasuredChunk | Exception = pickle.loads(self._reply(client, chunk, future))
        if isinstance(result, Exception):
            raise result
        return result

    def _reply(self, client: Any, chunk: FrameChunk, future: Any) -> bytes:
        """Wait for the bytes of a reply, as long as the scheduler is there."""
        started = answered = time.monotonic()
        while True:
            try:
                reply: bytes = future.result(timeout=_POLL_SECONDS)
                self._on_note = None
                return reply
            except LatcpbError:
                raise
            except self._dask.scheduler.KilledWorker as error:
                raise WorkersLostError(
                    f"workers were lost over frames {chunk.indices[0]} to {chunk.indices[-1]}",
                    "out of memory? give workers more, then give the same command with --resume",
                ) from error
            except self._dask.TimeoutError:
                if client.status == "running":
                    answered = time.monotonic()
                    if answered - started > _NO_WORKERS_SECONDS:
                        self._note_missing_workers(client)
                elif time.monotonic() - answered > _LOST_SECONDS:
                    raise self._lost() from None
            except Exception as error:
                if future.status != "error":
                    raise
                raise WorkerMismatchError(
                    f"a worker cannot run latcpb {__version__} ({first_line(error)})",
                    "install the same version and weights on all workers",
                ) from error
