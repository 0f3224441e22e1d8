"""``latcpb download-weights``: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from hub_server import serve_hub
from typer.testing import CliRunner, Result

from latcpb_cli import weights
from latcpb_cli.choices import DEFAULT_REPO_ID
from latcpb_cli.cli.weights import download_weights
from latcpb_cli.errors import UsageError, WeightsError
from latcpb_cli.weights import load_manifest, write_checksums

REPOSITORY = Path(__file__).parents[2]
NAME = "tiny"


def write_model(directory: Path) -> dict[str, str]:
    directory.mkdir(parents=True)
    (directory / "config.json").write_text("{}")
    (directory / "model.safetensors").write_bytes(b"parameters")
    return write_checksums(directory)


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A manifest of one model, with a bundled and a cached copy of it."""
    snapshots = tmp_path / "cache" / f"models--{DEFAULT_REPO_ID.replace('/', '--')}"
    folders = {"bundled": tmp_path / "bundle" / NAME, "cache": snapshots / "snapshots" / ("a" * 40) / NAME}
    for directory in folders.values():
        checksums = write_model(directory)
    (snapshots / "refs").mkdir()
    (snapshots / "refs" / "main").write_text("a" * 40)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"default": NAME, "revision": "main", "models": {NAME: checksums}}))
    monkeypatch.setattr(weights, "MANIFEST_FILE", manifest)
    monkeypatch.setattr(weights, "BUNDLES", (tmp_path / "bundle",))
    return folders | {"root": tmp_path / "cache"}


def run(copies: dict[str, Path], *arguments: str) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(download_weights)
    return CliRunner().invoke(app, [*arguments, "--cache-dir", str(copies["root"])])


def test_list_names_the_copies(copies: dict[str, Path]) -> None:
    result = run(copies, "--list")
    sha256 = load_manifest().models[NAME]["model.safetensors"]
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split() == [NAME, "yes", "yes", "yes", sha256]


def test_list_shows_missing_and_damaged_copies(copies: dict[str, Path]) -> None:
    (copies["bundled"] / "model.safetensors").unlink()
    (copies["cache"] / "model.safetensors").write_bytes(b"bit rot")
    result = run(copies, "--list")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split()[1:4] == ["yes", "no", "DAMAGED"]


def test_verify_hashes_every_copy(copies: dict[str, Path]) -> None:
    result = run(copies, "--verify")
    assert result.exit_code == 0
    assert [line.split()[:3] for line in result.stdout.splitlines()] == [
        ["ok", NAME, "bundled"],
        ["ok", NAME, "cache"],
    ]


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_verify_fails_on_a_damaged_copy(copies: dict[str, Path], file: str) -> None:
    (copies["cache"] / file).write_bytes(b"bit rot")
    result = run(copies, "--verify")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["ok", "DAMAGED"]
    assert isinstance(result.exception, WeightsError)
    assert str(copies["cache"] / file) in result.exception.message
    assert (copies["cache"] / file).read_bytes() == b"bit rot"


def test_verify_fails_without_a_copy(copies: dict[str, Path]) -> None:
    for name in ("bundled", "cache"):
        (copies[name] / "model.safetensors").unlink()
    assert isinstance(run(copies, "--verify").exception, WeightsError)


def test_list_and_verify_exclude_each_other(copies: dict[str, Path]) -> None:
    assert isinstance(run(copies, "--list", "--verify").exception, UsageError)


def test_another_repository_needs_a_name(copies: dict[str, Path]) -> None:
    assert isinstance(run(copies, "--list", "--repo-id", "some/one").exception, UsageError)


def test_cached_default_needs_no_network(copies: dict[str, Path]) -> None:
    result = run(copies)
    assert (result.exit_code, result.stdout) == (0, f"{copies['cache']}\n")
    assert "already in the cache" in result.stderr


@pytest.mark.hub
def test_another_repository_is_compared_with_its_own_hashes(tmp_path: Path) -> None:
    """Only the directory goes to stdout, for use in a shell."""
    write_model(tmp_path / NAME)
    code = "import typer; from latcpb_cli.cli.weights import download_weights; typer.run(download_weights)"
    with serve_hub() as hub:
        hub.repositories["some/one"] = {
            f"{NAME}/{path.name}": path.read_bytes() for path in (tmp_path / NAME).iterdir()
        }
        done = subprocess.run(
            [sys.executable, "-c", code, NAME, "--repo-id", "some/one", "--cache-dir", tmp_path / "cache"],
            env={"PATH": os.environ["PATH"], "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf")},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip(), "model.safetensors").read_bytes() == b"parameters"
    assert "compared with the SHA256 file of some/one itself" in done.stderr


def test_manifest_agrees_with_the_bundled_weights() -> None:
    """After a change of weights/: make manifest."""
    bundle = REPOSITORY / "weights"
    directories = sorted(path for path in bundle.iterdir() if path.is_dir() and path.name != "__pycache__")
    manifest = load_manifest()
    assert sorted(manifest.models) == [directory.name for directory in directories]
    assert not directories or manifest.default in manifest.models
    for directory in directories:
        pins = manifest.models[directory.name]
        assert weights.verify(directory, pins, "bundled", hint="").directory == directory
        assert weights.read_checksums(directory) == pins
        assert (directory / "README.md").is_file(), "a model has a card"
        loose = {"config.json", "confidence.json", "model.safetensors", "SHA256", "README.md"}
        assert {path.name for path in directory.iterdir()} == loose
