"""A cluster within this process: each worker has weights of its own, and may have another latcpb."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cg_files import linear_calibration
from safetensors.torch import load_file, save_file

from latcpb_cli.run import remote
from latcpb_cli.weights import CONFIDENCE_FILE, CONFIG_FILE, MODEL_FILE, read_directory, write_checksums

__all__ = [
    "Change", "Cluster", "change_byte", "config", "cut_model", "half_precision", "lost", "remove_confidence",
    "save_tensors", "unchanged", "version", "without_module", "without_name", "write_confidence",
]  # fmt: skip

distributed = pytest.importorskip("distributed")

Change = Callable[[Path, pytest.MonkeyPatch], Any]
"""Changes the weights folder of a worker, or patches its modules while it builds."""


def write_confidence(weights: Path, *, shift: float = 0.0, of_others: bool = False) -> None:
    modes = {name: asdict(mode) for name, mode in linear_calibration().modes.items()}
    for mode in modes.values():
        mode["backbone"]["values"] = [1.0 - shift, 0.0]
    sha256 = "0" * 64 if of_others else read_directory(weights).sha256
    (weights / CONFIDENCE_FILE).write_text(json.dumps({"model_sha256": sha256, "modes": modes}))
    write_checksums(weights)


def config(**values: Any) -> Change:
    """Other values in the configuration, None for a key that is left out."""

    def change(weights: Path, patch: pytest.MonkeyPatch) -> None:
        known = {**json.loads((weights / CONFIG_FILE).read_text()), **values}
        known = {key: value for key, value in known.items() if value is not None}
        (weights / CONFIG_FILE).write_text(json.dumps(known))
        write_checksums(weights)

    return change


def change_byte(weights: Path, *, hashed: bool = True) -> None:
    data = bytearray((weights / MODEL_FILE).read_bytes())
    data[-2] ^= 1
    (weights / MODEL_FILE).write_bytes(data)
    if hashed:
        write_checksums(weights)


def save_tensors(weights: Path, tensors: dict[str, Any]) -> None:
    save_file(tensors, weights / MODEL_FILE)
    write_checksums(weights)


def cut_model(weights: Path) -> None:
    (weights / MODEL_FILE).write_bytes((weights / MODEL_FILE).read_bytes()[:-100])
    write_checksums(weights)


def half_precision(weights: Path) -> None:
    save_tensors(weights, {name: x.half() for name, x in load_file(weights / MODEL_FILE).items()})


def remove_confidence(weights: Path) -> None:
    (weights / CONFIDENCE_FILE).unlink()
    write_checksums(weights)


def version(text: str) -> Change:
    return lambda weights, patch: patch.setattr(remote, "__version__", text)


def without_module(name: str) -> Change:
    return lambda weights, patch: patch.setitem(sys.modules, name, None)


def without_name(target: str) -> Change:
    return lambda weights, patch: patch.delattr(target)


def unchanged(weights: Path, patch: pytest.MonkeyPatch) -> None:
    """Leave all as it is."""


def lost(error: Exception) -> Change:
    """The worker ends before it has answered."""

    def end(*_: Any) -> None:
        raise error

    return lambda weights, patch: patch.setattr(remote, "answer", end)


@dataclass
class Cluster:
    """The client of a cluster: worker n gets chunk n, the last one all others; each has its own folder.

    Attributes
    ----------
    workers
        Folder and change of each.
    n_waits
        How often a result is waited for in vain before the first worker joins.
    n_sent
        Chunks so far.
    """

    workers: Sequence[tuple[Path, Change]]
    n_waits: int = 0
    n_sent: int = 0
    status = "running"
    scheduler = SimpleNamespace(ncores=None)

    def submit(self, function: Callable, *arguments: Any, pure: bool) -> _Future:
        assert b"latcpb" not in pickle.dumps(function), "read by schedulers and workers without latcpb"
        assert all(isinstance(argument, bytes) for argument in arguments)
        worker = self.workers[min(self.n_sent, len(self.workers) - 1)]
        self.n_sent += 1
        return _Future(self, pickle.dumps((function, *arguments)), *worker)

    def sync(self, function: Any, callback_timeout: float) -> dict[str, int]:
        return {} if self.n_waits > 0 else {"worker": 1}

    def close(self, timeout: float) -> None:
        pass


@dataclass
class _Future:
    """Computes its task when its result is wanted."""

    cluster: Cluster
    task: bytes
    folder: Path
    change: Change
    status: str = "pending"

    def result(self, timeout: float) -> Any:
        if self.cluster.n_waits > 0:
            self.cluster.n_waits -= 1
            raise distributed.TimeoutError
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(
                remote, "_cached_model", _models_of(None if self.change is unchanged else self.folder)
            )
            self.change(self.folder / "weights", patch)
            try:
                function, *arguments = pickle.loads(self.task)
                return function(*arguments)
            except Exception as error:
                if not isinstance(error, OSError | distributed.client.FutureCancelledError):
                    self.status = "error"
                raise


@lru_cache(maxsize=2)
def _models_of(folder: Path | None) -> Callable:
    """The models that the worker in a folder has loaded; all workers with unchanged weights share theirs."""
    return lru_cache(maxsize=1)(remote._cached_model.__wrapped__)
