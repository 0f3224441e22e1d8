"""Devices: their names, the precision of transformer layers on them, and constants that stay on them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor

from latcpb_cli.errors import UsageError

__all__ = ["autocast", "constant", "resolve_device", "table_on"]


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


@cache
@torch.inference_mode(False)
def table_on(device: torch.device, make: Callable[[], Any], column: str = "") -> Shaped[Tensor, "..."]:
    """Return a table of the package as a tensor on a device, to which it is copied once.

    Parameters
    ----------
    device
    make
        Function without arguments that returns a NumPy array, or a record of arrays.
    column
        Name of the array in this record.

    Returns
    -------
    Tensor
        Shared by all callers, who do not change it; training needs it as well, and so it is no tensor of
        inference mode.
    """
    table = make()
    return torch.as_tensor(getattr(table, column) if column else table, device=device)


@cache
@torch.inference_mode(False)
def constant(
    values: float | tuple[float, ...], dtype: torch.dtype, device: torch.device
) -> Shaped[Tensor, "..."]:
    """Return a few numbers on a device, to which they are copied once; shared as in `table_on`."""
    return torch.tensor(values, dtype=dtype, device=device)


def autocast(device: torch.device) -> AbstractContextManager[None]:
    """Return a bf16 autocast context on GPUs with bf16 arithmetic, elsewhere one without effect.

    CPUs stay in 32 bits, although some have bf16 instructions: with AVX512-BF16, best mode is a tenth slower,
    and the rounding of bf16 depends on the last digit of a coordinate, which moves a third of the atoms of a
    rotated input by more than 0.001 Å. Only transformer layers run in this context: geometry, spherical
    harmonics, decoder outputs and losses need all digits.
    """
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()
