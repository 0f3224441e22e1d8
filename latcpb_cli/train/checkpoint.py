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

__all__ = ["load_checkpoint", "load_model", "read_config", "save_checkpoint"]

_FILE, _SETTINGS = "checkpoint.safetensors", "train.json"


def save_checkpoint(
    folder: Path,
    step: int,
    model: nn.Module,
    average: dict[str, Tensor],
    optimizers: list[torch.optim.Optimizer],
    config: TrainConfig,
) -> None:
    """Write weights, their average and the optimizers' state at a step.

    Random numbers need no state: batches and noise follow from (seed, step).
    """
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    tensors |= {f"average.{key}": value for key, value in average.items()}
    for number, optimizer in enumerate(optimizers):
        for index, state in optimizer.state_dict()["state"].items():
            prefix = f"optimizer.{number}.{index}."
            tensors |= {prefix + key: torch.as_tensor(value) for key, value in state.items()}
    tensors = {key: value.detach().contiguous().cpu().clone() for key, value in tensors.items()}
    part = folder / f"{_FILE}.part"
    save_file(tensors, part, metadata={"step": str(step)})
    os.replace(part, folder / _FILE)
    settings = folder / f"{_SETTINGS}.part"
    settings.write_text(to_json(config))
    os.replace(settings, folder / _SETTINGS)


def _there(path: Path) -> Path:
    if not path.is_file():
        raise WeightsError(
            f"{path.parent} holds no checkpoint ({path.name})",
            "give the output folder of an earlier latcpb train",
        )
    return path


def _read(folder: Path) -> tuple[int, dict[str, Tensor]]:
    with safe_open(_there(folder / _FILE), framework="pt") as file:
        return int(file.metadata()["step"]), {key: file.get_tensor(key) for key in file.keys()}


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}


def read_config(folder: Path) -> TrainConfig:
    """Settings that a run was started with."""
    return from_json(TrainConfig, _there(folder / _SETTINGS))


def load_checkpoint(
    folder: Path, model: nn.Module, average: dict[str, Tensor], optimizers: list[torch.optim.Optimizer]
) -> int:
    """Put a run back where it was; returns the steps done."""
    step, tensors = _read(folder)
    model.load_state_dict(_part(tensors, "model."))
    for key, value in _part(tensors, "average.").items():
        average[key].copy_(value)
    for number, optimizer in enumerate(optimizers):
        state = optimizer.state_dict()
        for key, value in _part(tensors, f"optimizer.{number}.").items():
            index, name = key.split(".")
            state["state"].setdefault(int(index), {})[name] = value
        optimizer.load_state_dict(state)
    return step


def load_model(folder: Path, model: nn.Module) -> int:
    """Load a run's averaged weights into a model; parts the run did not have stay as they are."""
    step, tensors = _read(folder)
    model.load_state_dict(_part(tensors, "average."), strict=False)
    return step
