"""Reading without warnings about values that are checked afterwards."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

__all__ = ["suppress_warnings"]


@contextmanager
def suppress_warnings() -> Iterator[None]:
    """Suppress the warnings of MDAnalysis and numpy within a context."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
