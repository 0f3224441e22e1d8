"""``latcpb doctor``: versions, devices, weights, and what is missing."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import typer

from latcpb_cli import __version__
from latcpb_cli.cli import options as opt
from latcpb_cli.errors import WeightsError

__all__ = ["doctor"]

_NEEDED = ("torch", "e3nn", "MDAnalysis", "gemmi", "numpy", "scipy", "safetensors", "huggingface-hub")
_EXTRAS = {
    "gsd": ("formats", ".gsd"),
    "h5py": ("formats", ".h5 .h5md"),
    "openmm": ("md", "--hydrogens --minimize"),
}
"""Optional packages: the extra that brings them, and what they are for."""


def doctor(debug: opt.Debug = False) -> None:
    """Show what is installed: versions, devices, threads, weights and their hashes, extras.

    Leaves with exit code 5 where no intact weights are on this machine.
    """
    for line in [*_versions(), *_machine(), *_extras()]:
        typer.echo(line)
    intact, lines = _weights()
    for line in lines:
        typer.echo(line)
    if not intact:
        raise WeightsError(
            "there are no intact weights on this machine", "fetch them: latcpb download-weights"
        )


def _versions() -> list[str]:
    lines = [f"latcpb     {__version__}, Python {platform.python_version()}, {platform.platform()}"]
    versions = {name: _version(name) for name in _NEEDED}
    lines.append("libraries  " + ", ".join(f"{name} {number}" for name, number in versions.items() if number))
    missing = [name for name, number in versions.items() if not number]
    if missing:
        lines.append(f"MISSING    {' '.join(missing)}: install latcpb again")
    return lines


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _machine() -> list[str]:
    import torch

    given = os.environ.get("OMP_NUM_THREADS")
    threads = f"{torch.get_num_threads()} of {os.cpu_count()} CPU cores"
    lines = [f"threads    {threads}" + (f" (OMP_NUM_THREADS={given})" if given else "")]
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    gpus = [f"cuda:{number} ({name})" for number, name in enumerate(names)]
    chosen = "cuda" if torch.cuda.is_available() else "cpu"
    return [*lines, f"devices    {', '.join(['cpu', *gpus])}; --device auto takes {chosen}"]


def _extras() -> list[str]:
    lines = []
    for package, (extra, purpose) in _EXTRAS.items():
        number = _version(package)
        state = number or f"not installed: pip install 'latcpb-cli[{extra}]'"
        lines.append(f"optional   {package} ({purpose}): {state}")
    return lines


def _weights() -> tuple[int, list[str]]:
    """Check every copy of every model of the manifest, without the network."""
    from latcpb_cli.hub import ENVIRONMENT_VARIABLE, installed
    from latcpb_cli.weights import load_manifest, read_directory

    manifest = load_manifest()
    intact, lines = 0, []
    given = os.environ.get(ENVIRONMENT_VARIABLE)
    if given:
        lines.append(f"weights    ${ENVIRONMENT_VARIABLE} names {given}")
        if given not in manifest.models:
            files = read_directory(Path(given).expanduser())
            return 1, [*lines, f"weights    ok, sha256 {files.sha256}"]
    for name in manifest.models:
        for source, outcome in installed(name):
            if isinstance(outcome, WeightsError):
                lines.append(f"weights    {name}, {source}: DAMAGED, {outcome.message}")
            else:
                intact += 1
                lines.append(f"weights    {name}, {source}: ok, sha256 {outcome.sha256}, {outcome.directory}")
    return intact, lines
