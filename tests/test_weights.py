"""Directories of weights: verified ones, and the messages for all others."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from latcpb_cli.errors import WeightsError
from latcpb_cli.weights import read_directory, write_checksums


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "mine"
    directory.mkdir()
    (directory / "config.json").write_text("{}")
    (directory / "model.safetensors").write_bytes(b"parameters")
    write_checksums(directory)
    return directory


def test_verified_directory(model: Path) -> None:
    files = read_directory(model)
    assert (files.name, files.origin) == ("mine", "directory")
    assert files.model == model / "model.safetensors"
    assert files.config == model / "config.json"
    assert files.sha256 == "f528212a496dc7a0e9a57c129b561aa4609364d70f886c09d668e00797521eb5"


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum")
@pytest.mark.parametrize("mode", ["--text", "--binary"])
def test_sums_are_those_of_sha256sum(model: Path, mode: str) -> None:
    command = ["sha256sum", mode, "config.json", "model.safetensors"]
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256"], cwd=model, check=True, capture_output=True)
    written = subprocess.run(command, cwd=model, check=True, capture_output=True, text=True).stdout
    (model / "SHA256").write_text(written)
    assert read_directory(model).sha256 in written


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_changed_file_is_named_with_both_sums(model: Path, file: str) -> None:
    expected = dict(line.split()[::-1] for line in (model / "SHA256").read_text().splitlines())
    (model / file).write_bytes(b"changed")
    with pytest.raises(WeightsError) as caught:
        read_directory(model)
    assert str(model / file) in caught.value.message
    assert f"expected {expected[file]}" in caught.value.message
    assert "sha256sum" in caught.value.hint


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "SHA256"])
def test_missing_file(model: Path, file: str) -> None:
    (model / file).unlink()
    with pytest.raises(WeightsError, match=f"holds no {file}"):
        read_directory(model)


def test_file_without_a_sum_is_refused(model: Path) -> None:
    lines = (model / "SHA256").read_text().splitlines()
    (model / "SHA256").write_text(lines[1] + "\n")
    with pytest.raises(WeightsError, match="config.json: sha256 is .* expected None"):
        read_directory(model)


def test_pickle_is_no_model(model: Path) -> None:
    (model / "model.safetensors").rename(model / "model.pt")
    with pytest.raises(WeightsError) as caught:
        read_directory(model)
    assert "no pickles" in caught.value.hint


def test_file_instead_of_directory(model: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        read_directory(model / "model.safetensors")
    assert str(model) in caught.value.hint


@pytest.mark.parametrize("line", ["0" * 64 + "  model.safetensors\n", "\n"])
def test_a_checksum_file_of_a_million_lines_is_not_read(model: Path, line: str) -> None:
    (model / "SHA256").write_text(line * 1_000_000)
    with pytest.raises(WeightsError, match="is no list of two sha256 sums"):
        read_directory(model)


def test_a_checksum_file_of_other_bytes(model: Path) -> None:
    (model / "SHA256").write_bytes(bytes(range(256)))
    with pytest.raises(WeightsError, match="expected None"):
        read_directory(model)


def test_a_model_of_many_gigabytes_is_not_read(model: Path) -> None:
    with (model / "model.safetensors").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(WeightsError, match="bytes are no model of latcpb"):
        read_directory(model)


def test_a_calibration_of_confidence_is_optional_and_verified(model: Path) -> None:
    assert read_directory(model).confidence is None
    (model / "confidence.json").write_text("{}")
    assert read_directory(model).confidence is None  # its sha256 is not known
    write_checksums(model)
    assert read_directory(model).confidence == model / "confidence.json"
    (model / "confidence.json").write_text("{ }")
    with pytest.raises(WeightsError, match="confidence.json: sha256 is") as caught:
        read_directory(model)
    assert "model.safetensors confidence.json > SHA256" in caught.value.hint
