"""Side chains that change their rotamer between successive frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from latcpb_cli.geometry.angles import angle_difference
from latcpb_cli.metrics.count import Count, count_where

__all__ = ["RotamerJumps"]

_MIN_JUMP = np.pi / 3


@dataclass(eq=False)
class RotamerJumps:
    """χ1 that turn by more than 60° from a frame to the next; frames are added in their order.

    Attributes
    ----------
    count : Count
        Jumps among all χ1 of two successive frames.
    """

    count: Count = Count(0, 0)
    _last: np.ndarray | None = None

    def add(self, chi1: Float[np.ndarray, "F S L"]) -> None:
        """Add χ1 (rad) of F frames with S samples each; NaN where a residue has none."""
        if self._last is not None:
            chi1 = np.concatenate([self._last, chi1])
        self._last = chi1[-1:]
        steps = angle_difference(chi1[1:], chi1[:-1])
        self.count = self.count.plus(count_where(steps > _MIN_JUMP, np.isfinite(steps)))
