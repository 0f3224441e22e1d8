"""A GPU that is simulated on the CPU: it counts transfers and waits of the host, and refuses mixed devices.

Its tensors have the type of device that PyTorch keeps for backends outside of it, so that code takes the path
of GPUs; their values lie on the CPU, which computes all operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

__all__ = ["SIMULATED_GPU", "HostWaits", "simulated_gpu"]

SIMULATED_GPU = "simulated:0"
_NAME = SIMULATED_GPU.partition(":")[0]
_WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "bincount", "equal", "_linalg_check_errors")
"""Operations after which the host waits: their result, or its size, is a number on the host."""
_INDEXING = ("index", "index_put", "index_put_", "_index_put_impl_")
_COPIES = ("copy_", "_to_copy")
_active: list[HostWaits] = []


class _DeviceTensor(Tensor):
    """A tensor on the simulated device; ``inner`` holds its values."""

    inner: Tensor

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: Tensor) -> _DeviceTensor:
        layout = {"strides": inner.stride(), "storage_offset": inner.storage_offset(), "dtype": inner.dtype}
        return Tensor._make_wrapper_subclass(cls, inner.shape, device=torch.device(SIMULATED_GPU), **layout)

    def __init__(self, inner: Tensor) -> None:
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _active[-1].__torch_dispatch__(operation, types, args, kwargs)


class HostWaits(TorchDispatchMode):
    """Runs the operations of the simulated device and counts those for which the host waits.

    Attributes
    ----------
    counts : Counter of str
        ``upload`` and ``download`` are transfers. The other names are operations, ``index with a mask``,
        ``unique`` and ``repeat_interleave without a size``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled, and its import takes seconds

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        given = list(_tensors((args, tuple(kwargs.values()))))
        on_device = [x for x in given if isinstance(x, _DeviceTensor)]
        device = kwargs.get("device")
        to_device = bool(on_device) if device is None else torch.device(device).type == _NAME
        if not on_device and not to_device:
            return operation(*args, **kwargs)
        if device is not None:
            kwargs["device"] = torch.device("cpu")
        name = operation.overloadpacket.__name__
        self.count(name, args, kwargs, bool(on_device), to_device)
        others = [x for x in given if not isinstance(x, _DeviceTensor) and x.dim() > 0]
        if on_device and others and name not in (*_INDEXING, *_COPIES):
            raise RuntimeError(f"{operation}: tensors on the device and on the CPU")
        result = operation(*_inner(args), **{key: _inner(value) for key, value in kwargs.items()})
        if not to_device:
            return result
        return _on_device({id(x.inner): x for x in on_device}, result)

    def count(self, name: str, args: Any, kwargs: Any, from_device: bool, to_device: bool) -> None:
        """Count an operation if the host waits for it."""
        if name == "copy_":
            to_device, from_device = (isinstance(x, _DeviceTensor) for x in args[:2])
        if name in _COPIES and from_device != to_device:
            self.counts["upload" if to_device else "download"] += 1
        elif name in _WAITS:
            self.counts[name] += 1
        elif "unique" in name:
            self.counts["unique"] += 1
        elif name == "repeat_interleave" and kwargs.get("output_size") is None:
            self.counts["repeat_interleave without a size"] += 1
        elif name in _INDEXING:
            indices = [x for x in args[1] if x is not None]
            self.counts["index with a mask"] += any(x.dtype == torch.bool for x in indices)
            self.counts["upload"] += sum(not isinstance(x, _DeviceTensor) for x in indices)


def _tensors(value: Any) -> Iterator[Tensor]:
    """All tensors of nested lists."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)


def _inner(value: Any) -> Any:
    """Nested lists with the values of their tensors."""
    if isinstance(value, _DeviceTensor):
        return value.inner
    return type(value)(map(_inner, value)) if isinstance(value, list | tuple) else value


def _on_device(known: dict[int, _DeviceTensor], value: Any) -> Any:
    """A result as it is on the device; operations in place return a tensor that is known."""
    if isinstance(value, list | tuple):
        return [_on_device(known, part) for part in value]
    if not isinstance(value, Tensor):
        return value
    return known[id(value)] if id(value) in known else _DeviceTensor(value)


def _empty_strided(size: Any, stride: Any, *, dtype: Any = None, **_: Any) -> Tensor:
    return _DeviceTensor(torch.empty_strided(size, stride, dtype=dtype))


def _copy_from(source: Tensor, target: Tensor, _non_blocking: bool = False) -> Tensor:
    """Copy of `torch.tensor` and `Tensor.new_tensor`, on which no mode acts."""
    _active[-1].counts["upload"] += 1
    target.inner.copy_(source)
    return target


_setup_privateuseone_for_python_backend(_NAME)
_LIBRARY = torch.library.Library("aten", "IMPL")
_LIBRARY.impl("empty_strided", _empty_strided, "PrivateUse1")
_LIBRARY.impl("_copy_from", _copy_from, "PrivateUse1")


@contextmanager
def simulated_gpu() -> Iterator[HostWaits]:
    """Provide the device `SIMULATED_GPU`, and count its transfers and the waits for it.

    Its tensors cannot be made in inference mode, which is that without gradients here.
    """
    with HostWaits() as waits, patch.object(torch, "inference_mode", lambda mode=True: torch.no_grad()):
        _active.append(waits)
        try:
            yield waits
        finally:
            _active.pop()
