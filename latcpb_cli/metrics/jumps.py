"""Side chains that change their rotamer between successive frames."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.geometry.angles import angle_difference
from latcpb_cli.metrics.count import Count

__all__ = ["RotamerJumps"]

_MIN_JUMP = np.pi / 3


class RotamerJumps:
    """χ1 that turn by more than 60° from a frame to the next; frames are added in their order.

    Attributes
    ----------
    hits, cases : numpy.ndarray of int64, shape (L,)
        Jumps of each residue, and steps between two frames that have its χ1; empty before the first frame.
    """

    def __init__(self) -> None:
        self.hits, self.cases = np.zeros((2, 0), dtype=np.int64)
        self._last: np.ndarray | None = None

    @property
    def count(self) -> Count:
        """Jumps among all χ1 of two successive frames."""
        return Count(int(self.hits.sum()), int(self.cases.sum()))

    def add(self, chi1: Float[np.ndarray, "F S L"]) -> tuple[Int[np.ndarray, "F S"], Int[np.ndarray, "F S"]]:
        """Add χ1 (rad) of F frames with S samples each; NaN where a residue has none.

        Returns
        -------
        hits, cases : numpy.ndarray of int64, shape (F, S)
            Jumps from the frame before to each frame; zeros for the first frame of all.
        """
        if self._last is None:
            self._last = np.full_like(chi1[:1], np.nan)
            self.hits, self.cases = np.zeros((2, chi1.shape[-1]), dtype=np.int64)
        steps = angle_difference(chi1, np.concatenate([self._last, chi1[:-1]]))
        self._last = chi1[-1:]
        case = np.isfinite(steps)
        hit = (steps > _MIN_JUMP) & case
        self.hits += hit.sum(axis=(0, 1))
        self.cases += case.sum(axis=(0, 1))
        return hit.sum(axis=-1), case.sum(axis=-1)
