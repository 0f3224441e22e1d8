"""Names of devices, and precision on a CPU."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.device import autocast, resolve_device
from latcpb_cli.errors import UsageError


def test_auto_is_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for available, expected in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert resolve_device("auto") == expected
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["gpu", "mps", "cuda:x", "cuda:-1", "cpu:x", ""])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not known"):
        resolve_device(name)


def test_devices_that_do_not_exist_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no CUDA device"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda:1") == "cuda:1"
    with pytest.raises(UsageError, match="there are 2 devices"):
        resolve_device("cuda:2")


def test_a_cpu_keeps_32_bits() -> None:
    with autocast(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
