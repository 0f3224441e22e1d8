"""Names of devices, and precision on a CPU."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.chem.zmatrix import chi_slots
from latcpb_cli.device import autocast, constant, resolve_device, table_on
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


def test_tables_of_inference_serve_in_training() -> None:
    device, weight = torch.device("cpu"), torch.ones(4, requires_grad=True)
    for made in (table_on, constant):
        made.cache_clear()
    with torch.inference_mode():
        table, numbers = table_on(device, chi_slots), constant((1.0, 2.0, 3.0, 4.0), torch.float32, device)
        assert table_on(device, chi_slots) is table
    (weight * numbers + weight * table[0, 0]).sum().backward()
    assert weight.grad is not None
    assert torch.equal(weight.grad, numbers + table[0, 0])
