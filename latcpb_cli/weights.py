"""Directories of weights: their files, and how they are verified.

A model is a directory with ``config.json`` (the whole configuration),
``model.safetensors``, ``SHA256`` (as ``sha256sum`` writes it), a ``README.md``
(the model card) and perhaps ``confidence.json`` (the calibration of confidence).
Only safetensors are read: loading a pickle can run code. The manifest in the
package lists the models of this version with their sha256.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from latcpb_cli.errors import WeightsError

__all__ = [
    "CARD_FILE",
    "CHECKSUM_FILE",
    "CONFIDENCE_FILE",
    "CONFIG_FILE",
    "HASHED_FILES",
    "MODEL_FILE",
    "Manifest",
    "Origin",
    "WeightsFiles",
    "bundled_directory",
    "bundled_names",
    "load_manifest",
    "read_checksums",
    "read_directory",
    "verify",
    "write_checksums",
]

CONFIG_FILE = "config.json"
MODEL_FILE = "model.safetensors"
CHECKSUM_FILE = "SHA256"
CARD_FILE = "README.md"
CONFIDENCE_FILE = "confidence.json"
HASHED_FILES = (CONFIG_FILE, MODEL_FILE)
"""Files that a model must have; `CONFIDENCE_FILE` is hashed as well where a model has it."""

_MAX_CHECKSUM_BYTES, _MAX_MODEL_BYTES = 1 << 16, 1 << 30
"""Larger files are not read; those of the package have 244 bytes and 14 MB at most."""

MANIFEST_FILE = Path(__file__).with_name("weights_manifest.json")

BUNDLES = (Path(__file__).with_name("_weights"), Path(__file__).parents[1] / "weights")
"""Directories of bundled weights: in an installed wheel, in a source checkout."""

Origin = Literal["directory", "bundled", "cache", "network"]
"""A directory named by the user, the package, the cache of the Hub, or a download."""


@dataclass(frozen=True)
class WeightsFiles:
    """One model whose sha256 has been verified.

    Attributes
    ----------
    name : str
        Name of the model, which is the name of its directory.
    directory, config, model : pathlib.Path
        The directory, its ``config.json`` and its ``model.safetensors``.
    checksums : mapping of str to str
        The sha256 in hex of each file that results depend on, by file name.
    origin : {"directory", "bundled", "cache", "network"}
        Where the files come from.
    confidence : pathlib.Path or None
        ``confidence.json``, where its sha256 is known.
    """

    name: str
    directory: Path
    config: Path
    model: Path
    checksums: Mapping[str, str]
    origin: Origin
    confidence: Path | None = None

    @property
    def sha256(self) -> str:
        """Of ``model.safetensors``, in hex; it goes into reports."""
        return self.checksums[MODEL_FILE]


@dataclass(frozen=True)
class Manifest:
    """The models of this version of the package.

    Attributes
    ----------
    default : str
        Name of the model that is used by default.
    revision : str
        Revision of the package's Hub repository that holds them.
    models : mapping of str to mapping of str to str
        The sha256 of every hashed file, by model name.
    """

    default: str
    revision: str
    models: Mapping[str, Mapping[str, str]]

    def checksums(self, name: str) -> Mapping[str, str]:
        """Return the sha256 that the files of a model must have, by file name."""
        if name not in self.models:
            raise WeightsError(
                f"no weights are called {name!r}",
                f"known names: {', '.join(self.models) or 'none'}; for your own, give their directory",
            )
        return self.models[name]


def load_manifest() -> Manifest:
    """Read the manifest of the package."""
    return Manifest(**json.loads(MANIFEST_FILE.read_text(encoding="utf-8")))


def bundled_directory(name: str) -> Path | None:
    """Return the directory of a model that is bundled with the package, None if it is not."""
    return next((bundle / name for bundle in BUNDLES if (bundle / name / MODEL_FILE).is_file()), None)


def bundled_names() -> list[str]:
    """Return the names of the models that are bundled with the package, sorted."""
    return sorted(name for name in load_manifest().models if bundled_directory(name))


def read_directory(directory: Path) -> WeightsFiles:
    """Verify a directory of weights against its own SHA256 file.

    Raises
    ------
    WeightsError
        If a file is missing or differs from its sha256.
    """
    if directory.is_file():
        raise WeightsError(f"{directory} is a file", f"give the directory it is in: {directory.parent}")
    if not directory.is_dir():
        raise WeightsError(f"no directory {directory}", "check --weights and $LATCPB_WEIGHTS")
    return verify(directory, read_checksums(directory), "directory", hint=_rehash_hint(directory))


def verify(directory: Path, expected: Mapping[str, str], origin: Origin, *, hint: str) -> WeightsFiles:
    """Compare the files of a model with their sha256.

    Parameters
    ----------
    directory : pathlib.Path
    expected : mapping of str to str
        The sha256 in hex, by file name.
    origin : {"directory", "bundled", "cache", "network"}
        Where the directory comes from.
    hint : str
        What to try when a sha256 is wrong.

    Raises
    ------
    WeightsError
        If a file is missing or differs; the message names it and both sums.
    """
    has_confidence = CONFIDENCE_FILE in expected
    files = (*HASHED_FILES, *[CONFIDENCE_FILE] * has_confidence)
    for file in files:
        path = directory / file
        if not path.is_file():
            raise WeightsError(
                f"{directory} holds no {file}", f"needed: {', '.join(HASHED_FILES)}; no pickles"
            )
        if path.stat().st_size > _MAX_MODEL_BYTES:
            raise WeightsError(f"{path}: {path.stat().st_size:,} bytes are no model of latcpb", hint)
        actual = _sha256(path)
        if actual != expected.get(file):
            raise WeightsError(f"{path}: sha256 is {actual}, expected {expected.get(file)}", hint)
    return WeightsFiles(
        name=directory.name,
        directory=directory,
        config=directory / CONFIG_FILE,
        model=directory / MODEL_FILE,
        checksums={file: expected[file] for file in files},
        origin=origin,
        confidence=directory / CONFIDENCE_FILE if has_confidence else None,
    )


def read_checksums(directory: Path) -> dict[str, str]:
    """Read the SHA256 file of a directory: the sums in hex, by file name."""
    path = directory / CHECKSUM_FILE
    if not path.is_file():
        raise WeightsError(f"{directory} holds no {CHECKSUM_FILE} file", _rehash_hint(directory))
    if path.stat().st_size > _MAX_CHECKSUM_BYTES:
        raise WeightsError(f"{path} is no list of two sha256 sums", _rehash_hint(directory))
    rows = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    # A star before the name is how sha256sum marks binary mode.
    return {row[1].lstrip("*"): row[0].lower() for row in rows if len(row) == 2}


def write_checksums(directory: Path) -> dict[str, str]:
    """Write the SHA256 file of a directory of weights, and return the sums in hex by file name."""
    checksums = {file: _sha256(directory / file) for file in _files_to_hash(directory)}
    text = "".join(f"{digest}  {file}\n" for file, digest in checksums.items())
    (directory / CHECKSUM_FILE).write_text(text, encoding="ascii")
    return checksums


def _files_to_hash(directory: Path) -> list[str]:
    """The files of a model that are hashed, as far as they are optional only where they exist."""
    return [*HASHED_FILES, *[CONFIDENCE_FILE] * (directory / CONFIDENCE_FILE).is_file()]


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror}", "check the path and its permissions") from error


def _rehash_hint(directory: Path) -> str:
    files = " ".join(_files_to_hash(directory))
    command = f"(cd {directory} && sha256sum {files} > {CHECKSUM_FILE})"
    return f"get the files again, or, if you changed them yourself: {command}"
