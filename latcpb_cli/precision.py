"""Where 16-bit matrix products pay, and where they would crawl."""

from __future__ import annotations

import torch

__all__ = ["autocast"]


def autocast(device: torch.device | str) -> torch.autocast:
    """bf16 autocast on hardware that multiplies bf16 natively, else a context that does nothing.

    CPUs without AMX or AVX512-BF16 emulate bf16 at a fiftieth of the speed of
    fp32. Geometry, harmonics and losses stay in fp32 in any case.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        fast = torch.cuda.is_bf16_supported()
    else:
        fast = kind == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return torch.autocast(kind, torch.bfloat16, enabled=fast)
