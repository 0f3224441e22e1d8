"""How many out of how many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Count", "count_where"]


class Count(NamedTuple):
    """Hits among the cases looked at; counts of frames add up."""

    hits: int
    total: int

    def plus(self, other: Count) -> Count:
        return Count(self.hits + other.hits, self.total + other.total)

    @property
    def percent(self) -> float | None:
        """Percent of the cases, None where there was no case."""
        return 100.0 * self.hits / self.total if self.total else None


def count_where(hit: np.ndarray, looked_at: np.ndarray) -> Count:
    """Count the hits among the cases that are looked at (bool arrays of one shape)."""
    return Count(int((hit & looked_at).sum()), int(looked_at.sum()))
