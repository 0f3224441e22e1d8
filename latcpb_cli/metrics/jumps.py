"""Side chains that jump from one rotamer to another between frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latcpb_cli.geometry.angles import angle_difference
from latcpb_cli.metrics.count import Count, count_where

__all__ = ["RotamerJumps"]

_JUMP = np.pi / 3


@dataclass(eq=False)
class RotamerJumps:
    """χ1 that turn by more than 60° from a frame to the next; frames are added in their order.

    Attributes
    ----------
    count : Count
        RotamerJumps among all χ1 of two successive frames.
    """

    count: Count = Count(0, 0)
    _last: np.ndarray | None = None

    def add(self, chi1: np.ndarray) -> None:
        """Add χ1 of some frames: radians, shape (F, S, L) for S samples; NaN where there is none."""
        if self._last is not None:
            chi1 = np.concatenate([self._last, chi1])
        self._last = chi1[-1:]
        steps = angle_difference(chi1[1:], chi1[:-1])
        self.count = self.count.plus(count_where(steps > _JUMP, np.isfinite(steps)))
