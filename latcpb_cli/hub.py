"""Find, verify and download weights.

The order is: the argument of the caller (``--weights``), ``$LATCPB_WEIGHTS``, the
weights bundled with the package, the cache of the Hugging Face Hub, and then
the network. Files are returned after their sha256 has been compared.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from latcpb_cli.choices import DEFAULT_REPO_ID
from latcpb_cli.errors import LatcpbError, UsageError, WeightsError, without_passwords
from latcpb_cli.weights import (
    CARD_FILE,
    CHECKSUM_FILE,
    CONFIDENCE_FILE,
    HASHED_FILES,
    MODEL_FILE,
    Origin,
    WeightsFiles,
    bundled_directory,
    bundled_names,
    load_manifest,
    read_checksums,
    read_directory,
    verify,
)

__all__ = ["ENVIRONMENT_VARIABLE", "download", "installed", "resolve_weights"]

ENVIRONMENT_VARIABLE = "LATCPB_WEIGHTS"

_CONNECT_TIMEOUT = 10.0
"""Seconds after which the Hub counts as out of reach."""

_LOG = logging.getLogger(__name__)


def resolve_weights(name_or_path: str | Path | None = None) -> WeightsFiles:
    """Find weights, offline where possible, and verify them.

    Parameters
    ----------
    name_or_path : str or pathlib.Path, optional
        A directory, or the name of a model that the package knows (the name
        wins over a directory of that name). Without it ``$LATCPB_WEIGHTS`` is
        used in the same way, and then the default model.

    Returns
    -------
    WeightsFiles

    Raises
    ------
    WeightsError
        If the weights do not exist, are damaged, or cannot be downloaded.

    Examples
    --------
    >>> resolve_weights("runs/mine").model  # doctest: +SKIP
    PosixPath('runs/mine/model.safetensors')
    """
    manifest = load_manifest()
    requested = name_or_path or os.environ.get(ENVIRONMENT_VARIABLE) or manifest.default
    if isinstance(requested, Path) or (requested not in manifest.models and _is_path_like(requested)):
        return read_directory(Path(requested).expanduser())
    expected = manifest.checksums(requested)
    bundled = bundled_directory(requested)
    if bundled is None:
        return download(requested)
    return verify(bundled, expected, "bundled", hint="install latcpb again, or use --weights DIR")


def installed(
    name: str, *, repo_id: str = DEFAULT_REPO_ID, revision: str | None = None, cache_dir: Path | None = None
) -> Iterator[tuple[Origin, WeightsFiles | WeightsError]]:
    """Verify the copies of a model on this machine, without the network.

    Parameters are those of `download`.

    Yields
    ------
    origin : {"bundled", "cache"}
    outcome : WeightsFiles or WeightsError
        The error, not raised, where a copy is damaged.
    """
    pins = _pins(name, repo_id)
    copies: dict[Origin, Path | None] = {
        "bundled": bundled_directory(name) if pins is not None else None,
        "cache": _cached(name, repo_id, revision or _revision(repo_id), cache_dir),
    }
    for origin, directory in copies.items():
        if directory is None:
            continue
        try:
            yield origin, verify(directory, pins or read_checksums(directory), origin, hint="")
        except WeightsError as error:
            yield origin, error


def download(
    name: str, *, repo_id: str = DEFAULT_REPO_ID, revision: str | None = None, cache_dir: Path | None = None
) -> WeightsFiles:
    """Return a model from the cache of the Hub, downloaded where it is not complete there.

    Parameters
    ----------
    name : str
        Name of the model: a directory of the repository.
    repo_id : str
        Models of `DEFAULT_REPO_ID` must have the sha256 in the manifest of
        the package, at any revision. Those of another repository are
        compared with that repository's own SHA256 file, which guards against
        damage only.
    revision : str, optional
        Branch, tag or commit; by default the one in the manifest.
    cache_dir : pathlib.Path, optional
        By default the cache of huggingface_hub (``$HF_HOME``).

    Raises
    ------
    WeightsError
        No such repository, revision or model; no network; or a wrong sha256,
        after which nothing of the download is kept.
    """
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise UsageError(f"{name!r} is no name of a model", "names are one word, for instance latcpb-base")
    pins = _pins(name, repo_id)
    revision = revision or _revision(repo_id)
    cached = _cached(name, repo_id, revision, cache_dir)
    # A branch of another repository may have changed: only pinned files need no request to the Hub.
    if cached is not None and (pins is not None or _offline()):
        try:
            return verify(cached, pins or read_checksums(cached), "cache", hint="")
        except WeightsError as error:
            _LOG.warning("%s: this cached copy is removed", error.message)
            _discard(cached)
    with _clear_errors(name, repo_id, revision):
        directory = _fetch(name, repo_id, revision, cache_dir)
    try:
        return verify(
            directory, pins or read_checksums(directory), "network", hint=f"not kept; {_alternatives()}"
        )
    except WeightsError:
        _discard(directory)
        raise


def _is_path_like(text: str) -> bool:
    return Path(text).name != text or Path(text).exists()


def _pins(name: str, repo_id: str) -> Mapping[str, str] | None:
    return load_manifest().checksums(name) if repo_id == DEFAULT_REPO_ID else None


def _revision(repo_id: str) -> str:
    return load_manifest().revision if repo_id == DEFAULT_REPO_ID else "main"


def _offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _cached(name: str, repo_id: str, revision: str, cache_dir: Path | None) -> Path | None:
    """Return the directory of a model in the cache of the Hub; None where files are missing."""
    from huggingface_hub import try_to_load_from_cache

    with _clear_errors(name, repo_id, revision):
        paths = [
            try_to_load_from_cache(repo_id, f"{name}/{file}", cache_dir=cache_dir, revision=revision)
            for file in (*HASHED_FILES, CHECKSUM_FILE)
        ]
    # A file known not to exist is a sentinel, not None.
    return Path(str(paths[0])).parent if all(isinstance(path, str) for path in paths) else None


def _fetch(name: str, repo_id: str, revision: str, cache_dir: Path | None) -> Path:
    """Download the files of one model and no others; return their directory in the cache."""
    from huggingface_hub import HfApi, hf_hub_download

    _hide_passwords_in_logs()
    # First, because hf_hub_download retries for minutes where there is no network.
    info = HfApi().model_info(repo_id, revision=revision, timeout=_CONNECT_TIMEOUT)
    available = {sibling.rfilename for sibling in info.siblings or []}
    needed = [f"{name}/{file}" for file in (CHECKSUM_FILE, *HASHED_FILES)]
    if not available.issuperset(needed):
        models = sorted(str(Path(file).parent) for file in available if Path(file).name == MODEL_FILE)
        raise WeightsError(
            f"repository {repo_id} has no weights {name!r} at revision {revision}",
            f"it has: {', '.join(models) or 'none'}; needed: {', '.join(needed)}",
        )
    needed += sorted({f"{name}/{file}" for file in (CARD_FILE, CONFIDENCE_FILE)} & available)
    paths = [hf_hub_download(repo_id, file, revision=revision, cache_dir=cache_dir) for file in needed]
    return Path(paths[0]).parent


def _hide_passwords_in_logs() -> None:
    """Let huggingface_hub, which logs the addresses of requests, show none of their passwords."""

    def hide(record: logging.LogRecord) -> bool:
        record.msg, record.args = without_passwords(record.getMessage()), ()
        return True

    for handler in logging.getLogger("huggingface_hub").handlers:
        handler.addFilter(hide)


def _discard(directory: Path) -> None:
    """Remove a model from the cache of the Hub: the links, and the blobs they point at."""
    try:
        for file in (*HASHED_FILES, CHECKSUM_FILE, CARD_FILE, CONFIDENCE_FILE):
            path = directory / file
            if path.is_symlink():
                (path.parent / path.readlink()).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
    except OSError as error:
        raise WeightsError(
            f"{directory} is damaged and cannot be removed: {error.strerror}", "remove it, or use --cache-dir"
        ) from error


def _alternatives() -> str:
    bundled = ", ".join(bundled_names()) or "none"
    return f"use --weights DIR, ${ENVIRONMENT_VARIABLE} or a model bundled with latcpb (here: {bundled})"


@contextmanager
def _clear_errors(name: str, repo_id: str, revision: str) -> Iterator[None]:
    """Turn exceptions of huggingface_hub into a WeightsError with a hint."""
    from huggingface_hub import constants, errors

    where = f"{repo_id} at {without_passwords(constants.ENDPOINT)}"
    unpublished = ": the weights of latcpb are not published there yet" if repo_id == DEFAULT_REPO_ID else ""
    try:
        yield
    except LatcpbError:
        raise
    except errors.HFValidationError as error:
        raise UsageError(f"{repo_id!r} is no repository id", "it looks like owner/name") from error
    except errors.GatedRepoError as error:
        raise WeightsError(f"repository {where} asks for a login", "run: hf auth login") from error
    except errors.RepositoryNotFoundError as error:
        raise WeightsError(f"no repository {where}{unpublished}", _alternatives()) from error
    except errors.RevisionNotFoundError as error:
        raise WeightsError(f"repository {where} has no revision {revision!r}", "check --revision") from error
    except errors.OfflineModeIsEnabled as error:
        message = f"weights {name!r} of {repo_id} are not in the cache, and HF_HUB_OFFLINE is set"
        raise WeightsError(message, _alternatives()) from error
    # Errors of the HTTP library pass through; which library that is depends on the version.
    except Exception as error:
        reason = str(error.__cause__ or error).strip().splitlines() or [type(error).__name__]
        message = f"weights {name!r} cannot be had from {where}: {without_passwords(reason[0])}"
        raise WeightsError(message, _alternatives()) from error
