"""Bead positions in a few frames, whose distances distinguish bonds from chain ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from latcpb_cli.io.beads.frame_check import find_missing
from latcpb_cli.io.beads.whole import shortest_images

__all__ = ["SampledFrames"]

_PLAUSIBLE_MEDIAN = (2.0, 8.0)
"""Median distance (Å) of neighbours in a frame that is neither exploded nor collapsed."""


@dataclass(frozen=True, eq=False)
class SampledFrames:
    """L beads in F frames.

    Attributes
    ----------
    positions : numpy.ndarray of float32, shape (F, L, 3)
        In Å; nan where a bead has no position.
    boxes : numpy.ndarray, shape (F, 6)
        Rows of zeros for no box.
    """

    positions: Float[np.ndarray, "F L 3"]
    boxes: Float[np.ndarray, "F 6"]

    @classmethod
    def from_frames(
        cls, positions: Float[np.ndarray, "F L 3"], boxes: Float[np.ndarray, "F 6"]
    ) -> SampledFrames:
        """Leave out frames that are exploded or collapsed; keep all if all are: the unit is another then."""
        positions = np.where(find_missing(positions)[..., None], np.float32(np.nan), positions)
        every = cls(positions, boxes)
        low, high = _PLAUSIBLE_MEDIAN
        medians = [
            np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan
            for row in every._step_lengths()
        ]
        plausible = np.array([low < median < high for median in medians], dtype=bool)
        return cls(positions[plausible], boxes[plausible]) if plausible.any() else every

    def select(self, rows: Int64[np.ndarray, "M"] | Bool[np.ndarray, "L"]) -> SampledFrames:
        """Return the frames of some beads, given by their indices or by a mask."""
        return SampledFrames(self.positions[:, rows], self.boxes)

    def neighbor_distances(self) -> Float64[np.ndarray, "steps"]:
        """Measure the distance from each bead to the next.

        Returns
        -------
        numpy.ndarray of float64, shape (L-1,)
            In Å, minimum image, median over the frames; nan where no frame has both beads.
        """
        return _median(self._step_lengths())

    def distances(
        self, first: Int64[np.ndarray, "pairs"], second: Int64[np.ndarray, "pairs"]
    ) -> Float64[np.ndarray, "pairs"]:
        """Measure the distances (Å, minimum image, median over the frames) of pairs of beads."""
        steps = self.positions[:, second].astype(np.float64) - self.positions[:, first]
        return _median(np.linalg.norm(shortest_images(steps, self.boxes), axis=-1))

    def distance(self, first: int, second: int) -> float:
        """Measure the distance of two beads as `distances` does."""
        return float(self.distances(np.array([first]), np.array([second]))[0])

    def _step_lengths(self) -> Float64[np.ndarray, "F steps"]:
        steps = np.diff(self.positions.astype(np.float64), axis=1)
        return np.stack(
            [
                np.linalg.norm(shortest_images(frame[None], box[None])[0], axis=-1)
                for frame, box in zip(steps, self.boxes, strict=True)
            ]
        )


def _median(lengths: Float64[np.ndarray, "F steps"]) -> Float64[np.ndarray, "steps"]:
    medians = np.full(lengths.shape[1], np.nan)
    known = np.isfinite(lengths).any(axis=0)
    medians[known] = np.nanmedian(lengths[:, known], axis=0)
    return medians
