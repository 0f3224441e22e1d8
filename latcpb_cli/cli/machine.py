"""Where a run is built: in this process, in others, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch

from latcpb_cli.cli.startup import start_torch
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.cluster import ClusterWorkers
from latcpb_cli.run.worker_process import WorkerSetup
from latcpb_cli.run.workers import LocalWorkers, worthwhile_workers

if TYPE_CHECKING:
    from latcpb_cli.diffusion.step_counter import OnSteps
    from latcpb_cli.io.source import Source

__all__ = ["Machine"]

_RESIDUES_OF_ONE_THREAD = 150
"""Two threads build 89 residues no faster than one (AMD EPYC), and wait for each other on busy cores."""


class Machine(NamedTuple):
    """The options about the machine.

    Attributes
    ----------
    weights : str or None
    device : str
        One that is there.
    threads, workers : int or None
    scheduler : str or None
    """

    weights: str | None
    device: str
    threads: int | None
    workers: int | None
    scheduler: str | None

    def use_threads(self, n_residues: int | None = None) -> None:
        """Set the threads of torch in this process, if they are given or so few residues need one only."""
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        elif n_residues is not None and n_residues <= _RESIDUES_OF_ONE_THREAD:
            torch.set_num_threads(1)

    def setup(self) -> WorkerSetup:
        """How a process on this machine gets its model; one thread each unless more are given."""
        return WorkerSetup(self.weights, self.device, self.threads or 1, start_torch)

    def builder(
        self,
        source: Source,
        options: BackmapOptions,
        on_note: Callable[[str], None] | None = None,
        on_steps: OnSteps | None = None,
    ) -> LocalWorkers | ClusterWorkers | None:
        """What builds a run, where it is not this process.

        It may call ``on_note`` with a sentence, and processes of this machine ``on_steps`` with the steps of
        a chunk that takes long.
        """
        if self.scheduler is not None:
            setup = WorkerSetup(self.weights, self.device, self.threads or 1)
            return ClusterWorkers(setup, self.scheduler, on_note)
        if self.workers is not None:
            return LocalWorkers(self.setup(), self.workers, on_steps) if self.workers else None
        if options.md is not None:
            return None
        # As many processes as threads, instead of these.
        structures = source.n_frames * options.samples
        count = worthwhile_workers(len(source.trace), structures, self.device)
        setup = WorkerSetup(self.weights, self.device, 1, start_torch)
        return LocalWorkers(setup, count, on_steps) if count else None
