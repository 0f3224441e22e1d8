"""Models that are built to be filled with trained weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

__all__ = ["WithoutInitialization"]

_INITIALIZERS = {
    nn.init.kaiming_uniform_,
    nn.init.uniform_,
    nn.init.normal_,
    torch.Tensor.uniform_,
    torch.Tensor.normal_,
}


class WithoutInitialization(TorchFunctionMode):
    """Context in which modules are built without the random numbers that weights replace anyway.

    Their parameters are uninitialized memory, so all of them must be loaded. On an AMD EPYC, the random
    numbers take 0.1 s for the weights of this package.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch, unless it fills a parameter with random numbers."""
        if func in _INITIALIZERS:
            return args[0] if args else (kwargs or {})["tensor"]
        if func is torch.randn_like:
            func = torch.empty_like
        return func(*args, **(kwargs or {}))
