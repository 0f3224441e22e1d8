"""Checkpoints of a training run: written whole or not at all, read without pickle."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from latcpb_cli.config import from_json, to_json
from latcpb_cli.errors import WeightsError
from latcpb_cli.train.config import TrainConfig

__all__ = [
    "has_checkpoint",
    "has_config",
    "load_checkpoint",
    "load_predictor",
    "read_config",
    "save_checkpoint",
]

_CHECKPOINT_FILE, _CONFIG_FILE = "checkpoint.safetensors", "train.json"


def has_checkpoint(folder: Path) -> bool:
    """Whether the folder of a run holds a checkpoint."""
    return (folder / _CHECKPOINT_FILE).is_file()


def has_config(folder: Path) -> bool:
    """Whether the folder of a run holds its settings."""
    return (folder / _CONFIG_FILE).is_file()


def save_checkpoint(
    folder: Path,
    step: int,
    predictor: nn.Module,
    average: dict[str, Tensor],
    optimizers: list[torch.optim.Optimizer],
    config: TrainConfig,
) -> None:
    """Write weights, their running average and the state of the optimizers at a step.

    Random numbers need no state: batches and noise follow from (seed, step).
    """
    tensors = {f"predictor.{key}": value for key, value in predictor.state_dict().items()}
    tensors |= {f"average.{key}": value for key, value in average.items()}
    for number, optimizer in enumerate(optimizers):
        for index, state in optimizer.state_dict()["state"].items():
            prefix = f"optimizer.{number}.{index}."
            tensors |= {prefix + key: torch.as_tensor(value) for key, value in state.items()}
    tensors = {key: value.detach().contiguous().cpu().clone() for key, value in tensors.items()}
    part = folder / f"{_CHECKPOINT_FILE}.part"
    save_file(tensors, part, metadata={"step": str(step)})
    os.replace(part, folder / _CHECKPOINT_FILE)
    settings = folder / f"{_CONFIG_FILE}.part"
    settings.write_text(to_json(config))
    os.replace(settings, folder / _CONFIG_FILE)


def read_config(folder: Path) -> TrainConfig:
    """Read the settings of a run.

    Raises
    ------
    WeightsError
        The folder holds no run, or one with unknown settings.
    """
    return from_json(TrainConfig, _existing(folder / _CONFIG_FILE))


def load_checkpoint(
    folder: Path, predictor: nn.Module, average: dict[str, Tensor], optimizers: list[torch.optim.Optimizer]
) -> int:
    """Restore the state of a run in place, and return the number of steps done."""
    step, tensors = _read(folder)
    predictor.load_state_dict(_with_prefix(tensors, "predictor."))
    for key, value in _with_prefix(tensors, "average.").items():
        average[key].copy_(value)
    for number, optimizer in enumerate(optimizers):
        state = optimizer.state_dict()
        for key, value in _with_prefix(tensors, f"optimizer.{number}.").items():
            index, name = key.split(".")
            state["state"].setdefault(int(index), {})[name] = value
        optimizer.load_state_dict(state)
    return step


def load_predictor(folder: Path, predictor: nn.Module, new_parts: tuple[str, ...] = ()) -> int:
    """Load the averaged weights of a run into a predictor, and return the number of steps done.

    Parameters
    ----------
    folder : Path
    predictor : Predictor
    new_parts : tuple of str
        Modules of the predictor that the run does not have; they stay as they are.

    Raises
    ------
    WeightsError
        The folder holds no checkpoint.
    """
    step, tensors = _read(folder)
    own = {
        key: value
        for key, value in predictor.state_dict().items()
        if any(key.startswith(f"{part}.") for part in new_parts)
    }
    predictor.load_state_dict(own | _with_prefix(tensors, "average."))
    return step


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise WeightsError(
            f"{path.parent} holds no checkpoint ({path.name})",
            "give the output folder of an earlier latcpb train",
        )
    return path


def _read(folder: Path) -> tuple[int, dict[str, Tensor]]:
    with safe_open(_existing(folder / _CHECKPOINT_FILE), framework="pt") as file:
        return int(file.metadata()["step"]), {key: file.get_tensor(key) for key in file.keys()}


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with a prefix, named without it."""
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
