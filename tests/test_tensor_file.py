"""Files of tensors that are no weights are refused, whatever is in them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny import TINY, tiny_predictor
from torch import nn

from latcpb_cli.config import to_json
from latcpb_cli.errors import WeightsError
from latcpb_cli.predictor import Predictor
from latcpb_cli.tensor_file import check_tensors, limited_parameters, read_tensors

NAME = "latcpb.latent_mean"


def file_bytes(header: dict[str, object], data: bytes = b"") -> bytes:
    """A safetensors file with any header."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(shape: list[int], start: int, stop: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


NO_FILES = {
    "empty": b"",
    "text": b"these are not the weights that you want",
    "header of 2**64 bytes": b"\xff" * 8 + b"{}",
    "header longer than the file": (1000).to_bytes(8, "little") + b"{}",
    "no JSON": (3).to_bytes(8, "little") + b"{]}",
    "nested": (200_000).to_bytes(8, "little") + b"[" * 200_000,
    "cut short": file_bytes({"a": entry([4], 0, 16)}, b"\0" * 8),
    "more data than tensors": file_bytes({"a": entry([4], 0, 16)}, b"\0" * 32),
    "shape unlike its bytes": file_bytes({"a": entry([10**9], 0, 16)}, b"\0" * 16),
    "shape that overflows": file_bytes({"a": entry([2**62, 8], 0, 16)}, b"\0" * 16),
    "negative shape": file_bytes({"a": entry([-4], 0, 16)}, b"\0" * 16),
    "tensors that overlap": file_bytes({"a": entry([4], 0, 16), "b": entry([4], 8, 24)}, b"\0" * 24),
    "unknown type": file_bytes({"a": entry([4], 0, 16, "Q7")}, b"\0" * 16),
}


@pytest.mark.parametrize("name", NO_FILES)
def test_a_file_that_holds_no_tensors(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(NO_FILES[name])
    started = time.perf_counter()
    with pytest.raises(WeightsError, match="is no safetensors file"):
        read_tensors(path)
    assert time.perf_counter() - started < 2.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (torch.tensor([0.5, float("nan")]), "a has numbers that are not finite"),
        (torch.tensor([0.5, float("inf")]).half(), "a has numbers that are not finite"),
        (torch.tensor([float("-inf"), float("inf")]), "a has numbers that are not finite"),
        (torch.ones(2, dtype=torch.float64), "a has type float64"),
        (torch.ones(2, dtype=torch.int8), "a has type int8"),
        (torch.ones(2, dtype=torch.bool), "a has type bool"),
    ],
)
def test_tensors_that_are_no_weights(tmp_path: Path, values: torch.Tensor, message: str) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": values}, path)
    with pytest.raises(WeightsError, match=message):
        read_tensors(path)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_floats_of_16_and_32_bits(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "model.safetensors"
    largest = torch.full((4096,), torch.finfo(torch.float16).max).to(dtype)
    save_file({"a": largest, "empty": largest[:0]}, path)
    torch.testing.assert_close(read_tensors(path)["a"], largest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("a"), "lacks a of its model"),
        (lambda tensors: tensors.clear(), "lacks a and 1 more of its model"),
        (lambda tensors: tensors.update(c=torch.ones(1)), "has c, which its model does not have"),
        (
            lambda tensors: tensors.update(b=torch.ones(2)),
            r"shape of b: \(2,\), not \(1,\)",
        ),
    ],
)
def test_tensors_of_another_model(change: Callable[[dict], object], message: str) -> None:
    expected = {"a": torch.ones(2, 3), "b": torch.ones(1)}
    tensors = dict(expected)
    check_tensors(tensors, expected, Path("model.safetensors"))
    change(tensors)
    with pytest.raises(WeightsError, match=message):
        check_tensors(tensors, expected, Path("model.safetensors"))


def test_a_model_larger_than_its_file_is_not_built() -> None:
    with limited_parameters(6, Path("a")):
        nn.Linear(2, 2)
    built = []
    with (
        pytest.raises(WeightsError, match=r"more parameters than the file \(20\)"),
        limited_parameters(20, Path("a")),
    ):
        built += [nn.Linear(2, 2) for _ in range(1000)]
    assert not built
    nn.Linear(100, 100)


def test_models_may_be_built_in_several_threads() -> None:
    def build(_: int) -> None:
        with limited_parameters(60, Path("a")):
            for _ in range(10):
                nn.Linear(2, 2)
                time.sleep(0.001)

    with ThreadPoolExecutor(4) as threads:
        built = threads.map(build, range(4))
        for _ in range(20):
            nn.Linear(2, 2)
            time.sleep(0.001)
    assert list(built) == [None] * 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dim": 2048, "cg_layers": 64}, "more parameters"),
        ({"heads": 64, "key_dim": 512, "denoiser_layers": 64}, "more parameters"),
        ({"equivariant_layers": 0}, "has .*, which its model does not have"),
        ({"latent": 4}, r"shape of .* and .* more: \(8,\), not \(4,\)"),
    ],
)
def test_a_configuration_that_is_not_that_of_the_weights(tmp_path: Path, changes, message: str) -> None:
    save_file(tiny_predictor().state_dict(), tmp_path / "model.safetensors")
    settings = {**json.loads(to_json(TINY)), **changes}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    started = time.perf_counter()
    with pytest.raises(WeightsError, match=message):
        Predictor.load(tmp_path / "config.json", tmp_path / "model.safetensors")
    assert time.perf_counter() - started < 10.0
