"""Devices, and the precision of transformer layers on them."""

from __future__ import annotations

import torch

from latcpb_cli.errors import UsageError

__all__ = ["autocast", "resolve_device"]


def resolve_device(name: str) -> str:
    """Turn ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` into the name of an available device.

    Raises
    ------
    UsageError
        The name is not one of these, or there is no such device.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    device_type, _, number = name.partition(":")
    if device_type not in ("cpu", "cuda") or (number and not number.isdecimal()):
        raise UsageError(f"--device {name} is not known", "give auto, cpu, cuda or cuda:N")
    if device_type == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"--device {name}: no CUDA device is available", "use --device cpu or auto")
    if device_type == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"--device {name}: there are {torch.cuda.device_count()} devices", "count from cuda:0"
        )
    return name


def autocast(device: torch.device) -> torch.autocast:
    """Return a bf16 autocast context on GPUs with bf16 arithmetic, elsewhere one without effect.

    CPUs stay in 32 bits, although some have bf16 instructions: with AVX512-BF16, best mode is a tenth slower,
    and the rounding of bf16 depends on the last digit of a coordinate, which moves a third of the atoms of a
    rotated input by more than 0.001 Å. Only transformer layers run in this context: geometry, spherical
    harmonics, decoder outputs and losses need all digits.
    """
    fast = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)
