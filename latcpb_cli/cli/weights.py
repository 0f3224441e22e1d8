"""``latcpb download-weights``: fetch, list and verify models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latcpb_cli.choices import DEFAULT_REPO_ID
from latcpb_cli.cli import options as opt
from latcpb_cli.errors import UsageError, WeightsError

__all__ = ["download_weights"]


def download_weights(
    name: Annotated[
        str | None, typer.Argument(help="Name of the model; by default the default model.")
    ] = None,
    repo_id: Annotated[str, typer.Option(help="Hub repository, as owner/name.")] = DEFAULT_REPO_ID,
    revision: Annotated[
        str | None, typer.Option(help="Branch, tag or commit; by default the one this version pins.")
    ] = None,
    cache_dir: Annotated[
        Path | None, typer.Option(help="Cache to use; by default that of huggingface_hub ($HF_HOME).")
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List the models of this version and where they are.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare what is on this machine with its sha256; no download.")
    ] = False,
    debug: opt.Debug = False,
) -> None:
    """Download the weights of a model, verify them, and print their directory.

    What is in the cache already is not fetched again. Nodes without a network
    set HF_HUB_OFFLINE=1. The printed directory can be given to --weights.
    """
    if list_ and verify:
        raise UsageError("--list and --verify exclude each other", "--list shows damaged copies, too")
    if list_:
        _print_list(repo_id, revision, cache_dir, name)
    elif verify:
        _verify(repo_id, revision, cache_dir, name)
    else:
        _download(repo_id, revision, cache_dir, name)


def _download(repo_id: str, revision: str | None, cache_dir: Path | None, name: str | None) -> None:
    from latcpb_cli.hub import download
    from latcpb_cli.weights import load_manifest

    files = download(name or load_manifest().default, repo_id=repo_id, revision=revision, cache_dir=cache_dir)
    how = "already in the cache" if files.origin == "cache" else "downloaded"
    pinned = (
        "the manifest of latcpb" if repo_id == DEFAULT_REPO_ID else f"the SHA256 file of {repo_id} itself"
    )
    typer.echo(f"{files.name}: {how}; sha256 {files.sha256}, compared with {pinned}", err=True)
    typer.echo(files.directory)


def _verify(repo_id: str, revision: str | None, cache_dir: Path | None, name: str | None) -> None:
    from latcpb_cli.hub import installed

    good = 0
    damaged: list[WeightsError] = []
    for model in _names(repo_id, name):
        for source, outcome in installed(model, repo_id=repo_id, revision=revision, cache_dir=cache_dir):
            if isinstance(outcome, WeightsError):
                damaged.append(outcome)
                typer.echo(f"DAMAGED  {model}  {source}  {outcome.message}")
            else:
                good += 1
                typer.echo(f"ok       {model}  {source}  {outcome.sha256}  {outcome.directory}")
    if damaged:
        raise WeightsError(
            f"{len(damaged)} of {good + len(damaged)} copies of weights are damaged: {damaged[0].message}",
            "latcpb download-weights replaces a cached copy; for a bundled one install latcpb again",
        )
    if not good:
        raise WeightsError(
            "there are no weights on this machine to verify", "fetch them: latcpb download-weights"
        )


def _print_list(repo_id: str, revision: str | None, cache_dir: Path | None, name: str | None) -> None:
    from rich.console import Console
    from rich.table import Table

    from latcpb_cli.hub import installed
    from latcpb_cli.weights import MODEL_FILE, load_manifest

    manifest = load_manifest()
    table = Table(box=None, pad_edge=False)
    for column in ("name", "default", "bundled", "cached", "sha256"):
        table.add_column(column, no_wrap=True)
    for model in _names(repo_id, name):
        states = {"bundled": "no", "cache": "no"}
        sha256 = manifest.models[model][MODEL_FILE] if repo_id == DEFAULT_REPO_ID else "?"
        for source, outcome in installed(model, repo_id=repo_id, revision=revision, cache_dir=cache_dir):
            states[source] = "DAMAGED" if isinstance(outcome, WeightsError) else "yes"
            sha256 = outcome.sha256 if not isinstance(outcome, WeightsError) else sha256
        default = "yes" if (model, repo_id) == (manifest.default, DEFAULT_REPO_ID) else ""
        table.add_row(model, default, states["bundled"], states["cache"], sha256)
    # Wide enough for a whole sha256, where output is piped and the width unknown.
    Console(width=max(Console().width, 120)).print(table)


def _names(repo_id: str, name: str | None) -> list[str]:
    """Return the models to check: the one named, or all of the manifest."""
    from latcpb_cli.weights import load_manifest

    if name is not None:
        return [name]
    if repo_id != DEFAULT_REPO_ID:
        raise UsageError(f"which model of {repo_id}?", "give its name; only the package's own are known")
    return list(load_manifest().models)
