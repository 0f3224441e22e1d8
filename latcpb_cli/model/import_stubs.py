"""Imports of others that are slow and lead to nothing that is used here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__all__ = ["without"]


class _Empty(ModuleType):
    """Has every name, and nothing behind it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


@contextmanager
def without(name: str) -> Iterator[None]:
    """Let imports of the module ``name`` find an empty one, unless it is loaded already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = _Empty(name)
    try:
        yield
    finally:
        del sys.modules[name]
