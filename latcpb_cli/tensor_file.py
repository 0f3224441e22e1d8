"""Tensors of a safetensors file, and whether they are those of a model.

A file of any content is refused in bounded time and memory: before a model is built, its tensors have been
read and are numbers; a model that would have more parameters than the file is given up while it is built.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from latcpb_cli.errors import WeightsError, first_line

__all__ = ["check_tensors", "limited_parameters", "read_tensors"]

_FLOATS = (torch.float16, torch.bfloat16, torch.float32)
_MAX_HEADER_BYTES = 1 << 22
"""Forty times the header of the weights in the package."""
_BUILDING = threading.Lock()
"""Torch keeps its hooks for all threads, which must not change them while another builds."""
_HINT = "fetch the weights again, or update latcpb"


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read all tensors of a safetensors file.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict of str to Tensor
        Finite numbers of 16 or 32 bits.

    Raises
    ------
    WeightsError
        The file is no safetensors file, is cut short, or has tensors of another type or that are not finite.
    """
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
    if header_bytes > _MAX_HEADER_BYTES:
        raise WeightsError(f"{path} is no safetensors file (a header of {header_bytes:,} bytes)", _HINT)
    try:
        tensors = load_file(path)
    except (SafetensorError, RuntimeError, ValueError, OverflowError, OSError) as error:
        raise WeightsError(f"{path} is no safetensors file ({first_line(error)})", _HINT) from error
    for name, tensor in tensors.items():
        if tensor.dtype not in _FLOATS:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise WeightsError(f"{path}: {name} has type {kind}, not floats of 16 or 32 bits", _HINT)
        # In one number: quicker than a mask, and numbers that are finite but overflow it are no weights.
        if not tensor.sum(dtype=torch.float32).isfinite():
            raise WeightsError(f"{path}: {name} has numbers that are not finite", _HINT)
    return tensors


@contextmanager
def limited_parameters(count: int, path: Path) -> Iterator[None]:
    """Let a model be built in this context if it has no more parameters than this.

    Threads wait for each other here; modules that others build elsewhere do not count.

    Parameters
    ----------
    count : int
        Numbers in the file of its weights.
    path : pathlib.Path
        For the message.

    Raises
    ------
    WeightsError
        As soon as the parameters that the modules have so far are more.
    """
    n_parameters, thread = 0, threading.get_ident()

    def add(module: nn.Module, name: str, parameter: Tensor | None) -> None:
        nonlocal n_parameters
        if parameter is None or threading.get_ident() != thread:
            return
        n_parameters += parameter.numel()
        if n_parameters > count:
            raise WeightsError(
                f"{path}: the model of its configuration has more parameters than the file ({count:,})", _HINT
            )

    with _BUILDING:
        hook = register_module_parameter_registration_hook(add)
        try:
            yield
        finally:
            hook.remove()


def check_tensors(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    """Raise where the tensors of a file are not those of a model.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        Of the file.
    expected : mapping of str to Tensor
        The state of the model.
    path : pathlib.Path
        For the message.

    Raises
    ------
    WeightsError
        Tensors are missing, too many, or of another shape; the message names the first.
    """
    missing = [name for name in expected if name not in tensors]
    unknown = [name for name in tensors if name not in expected]
    other = [name for name in expected if name in tensors and tensors[name].shape != expected[name].shape]
    if missing:
        raise WeightsError(f"{path} lacks {_some(missing)} of its model", _HINT)
    if unknown:
        raise WeightsError(f"{path} has {_some(unknown)}, which its model does not have", _HINT)
    if other:
        shapes = f"{tuple(tensors[other[0]].shape)}, not {tuple(expected[other[0]].shape)} as its model"
        raise WeightsError(f"{path}: shape of {_some(other)}: {shapes}", _HINT)


def _some(names: list[str]) -> str:
    """Return the first of some names, and how many follow."""
    return names[0][:100] + (f" and {len(names) - 1:,} more" if len(names) > 1 else "")
