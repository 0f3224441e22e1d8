"""Counts of hits among cases."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

__all__ = ["Check", "Count", "count_where"]


class Count(NamedTuple):
    """Number of hits and of all cases; the counts of several frames add up."""

    hits: int
    total: int

    def plus(self, other: Count) -> Count:
        """Return the sum of two counts."""
        return Count(self.hits + other.hits, self.total + other.total)

    @property
    def percent(self) -> float | None:
        """Percent of the cases that are hits, None without cases."""
        return 100.0 * self.hits / self.total if self.total else None


class Check(NamedTuple):
    """Outcome of a test of n cases in each of F frames.

    ``hit`` is true where the test is positive, ``mask`` where the case exists.
    """

    hit: Bool[np.ndarray, "F n"]
    mask: Bool[np.ndarray, "F n"]


def count_where(hit: Bool[np.ndarray, "*n"], mask: Bool[np.ndarray, "*n"]) -> Count:
    """Count the hits among the cases of a mask."""
    return Count(int((hit & mask).sum()), int(mask.sum()))
