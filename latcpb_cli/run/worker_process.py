"""The main function of a worker process; it imports the model only after its initializer has run."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from latcpb_cli.errors import LatcpbError
from latcpb_cli.run.malloc import keep_freed_memory

__all__ = ["WorkerSetup", "serve"]


@dataclass(frozen=True)
class WorkerSetup:
    """How a worker gets its model.

    Attributes
    ----------
    weights : str or None
    device : str
        See `LoadedModel.from_pretrained`.
    threads : int
        Of torch.
    initializer : callable, optional
        Called in a new local process before anything else.
    """

    weights: str | None
    device: str
    threads: int = 1
    initializer: Callable[[], None] | None = None


def serve(pipe: Connection, setup: WorkerSetup) -> None:
    """Load the model and build chunk after chunk, until the main process is gone.

    The steps of a chunk that takes long are sent before its result.
    """
    # Ctrl-C goes to all processes of a terminal; the main one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()
    if setup.initializer is not None:
        setup.initializer()
    from latcpb_cli.run.remote import build_remotely, load_model, portable_error

    with suppress(LatcpbError):  # which the first chunk meets again
        load_model(setup)
    with suppress(EOFError, ConnectionError):
        while True:
            request = pipe.recv()
            result: object = None
            if request is not None:
                job, chunk = request
                try:
                    result = build_remotely(setup, job, chunk, pipe.send)
                except Exception as error:
                    result = portable_error(error)
            pipe.send(result)
