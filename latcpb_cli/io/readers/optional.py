"""Libraries that only some formats need."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

from latcpb_cli.errors import InputError

__all__ = ["EXTRA", "optional"]

EXTRA = "latcpb-cli[formats]"


def optional(module: str, path: Path) -> ModuleType:
    """Import a library of the extra, or say how to install it.

    Raises
    ------
    InputError
    """
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise InputError(
            f"{path}: reading {path.suffix} files needs the package {package}", f"pip install '{EXTRA}'"
        ) from None
