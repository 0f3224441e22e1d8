"""Libraries that only some formats need."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

from latcpb_cli.errors import InputError

__all__ = ["import_optional"]

_EXTRA = "latcpb-cli[formats]"


def import_optional(module: str, path: Path) -> ModuleType:
    """Import a library of the optional dependencies.

    Parameters
    ----------
    module : str
    path : pathlib.Path
        File that needs it, for the message.

    Returns
    -------
    module

    Raises
    ------
    InputError
        The library is not installed; the hint is the command that installs it.
    """
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise InputError(
            f"{path}: reading {path.suffix} files needs the package {package}", f"pip install '{_EXTRA}'"
        ) from None
