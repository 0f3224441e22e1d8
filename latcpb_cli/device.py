"""Where a model runs, and in how many bits."""

from __future__ import annotations

import torch

from latcpb_cli.errors import UsageError

__all__ = ["autocast", "resolve_device"]


def resolve_device(name: str) -> str:
    """Turn ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` into a device that is there.

    Raises
    ------
    UsageError
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdecimal()):
        raise UsageError(f"--device {name} is not known", "give auto, cpu, cuda or cuda:N")
    if kind == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"--device {name}: no CUDA device is available", "use --device cpu or auto")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"--device {name}: there are {torch.cuda.device_count()} devices", "count from cuda:0"
        )
    return name


def autocast(device: torch.device) -> torch.autocast:
    """bf16 autocast on GPUs that multiply bf16 natively, else a context that does nothing.

    Not on CPUs, though some have instructions for it: with AVX512-BF16 best mode is a tenth slower for it,
    and the last digit of a coordinate decides how bf16 rounds, which moved a third of the atoms of turned
    inputs by more than 0.001 Å. Only transformer layers run under it: geometry, harmonics, decoder outputs
    and losses need all their digits.
    """
    fast = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)
