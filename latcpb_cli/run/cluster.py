"""Chunks of frames built by the workers of a Dask cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from typing import Any

from latcpb_cli.errors import LatcpbError, UsageError, WorkersLostError, first_line
from latcpb_cli.run.chunk_job import ChunkJob
from latcpb_cli.run.measure import MeasuredChunk
from latcpb_cli.run.remote import build_remotely
from latcpb_cli.run.worker_process import WorkerSetup
from latcpb_cli.structure import FrameChunk

__all__ = ["ClusterWorkers"]


class ClusterWorkers:
    """Workers of a Dask cluster; they need the same version of latcpb and the weights.

    Parameters
    ----------
    setup : WorkerSetup
    address : str
        Of the scheduler, for instance ``tcp://host:8786``.

    Raises
    ------
    UsageError
        Dask is not installed.
    """

    count = 1  # workers come and go

    def __init__(self, setup: WorkerSetup, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise UsageError(
                "--scheduler needs Dask distributed", "pip install 'latcpb-cli[cluster]'"
            ) from None
        self._setup, self._address, self._dask = setup, address, distributed

    def build(self, job: ChunkJob, chunks: Iterable[FrameChunk]) -> Generator[MeasuredChunk, None, None]:
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
                waiting.append((chunk, client.submit(build_remotely, self._setup, job, chunk, pure=False)))
                # As many chunks as cores, twice: workers must not wait for the writer.
                while len(waiting) >= max(2, 2 * sum(client.nthreads().values())):
                    yield self._result(*waiting.popleft())
            while waiting:
                yield self._result(*waiting.popleft())

    def _result(self, chunk: FrameChunk, future: Any) -> MeasuredChunk:
        try:
            measured: MeasuredChunk = future.result()
            return measured
        except LatcpbError:
            raise
        except self._dask.scheduler.KilledWorker as error:
            raise WorkersLostError(
                f"workers were lost over frames {chunk.indices[0]} to {chunk.indices[-1]}",
                "out of memory? give workers more, then give the same command with --resume",
            ) from error
