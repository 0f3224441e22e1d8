"""What a run was made from: versions, inputs, command."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from latcpb_cli import __version__

__all__ = ["provenance"]

_LIBRARIES = ("torch", "MDAnalysis", "numpy")


def provenance(inputs: Sequence[Path], **run: Any) -> dict[str, Any]:
    """Collect what is needed to repeat a run.

    Parameters
    ----------
    inputs : sequence of pathlib.Path
        Hashed, so that a changed file shows.
    **run
        Further entries: seed, mode, weights, ...

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {
        "latcpb": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in _LIBRARIES},
        "command": sys.argv,
        "inputs": [{"file": str(path), "sha256": _sha256(path)} for path in inputs],
        **run,
    }


def _version(library: str) -> str:
    """Version of a library, from its module if it is loaded: its metadata take a millisecond to find."""
    if (loaded := getattr(sys.modules.get(library), "__version__", None)) is not None:
        return str(loaded)
    try:
        return version(library)
    except PackageNotFoundError:
        return "unknown"


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
