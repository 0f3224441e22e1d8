"""Frames in the axes in which the model computes, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from latcpb_cli.backbone.relax_trace import relax_trace
from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.geometry.canonical_frame import canonical_frame
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["CanonicalChunk"]


@dataclass(frozen=True, eq=False)
class CanonicalChunk:
    """F frames in the axes in which the model computes.

    Attributes
    ----------
    positions : (F, L, 3)
        Cα of the output, Å.
    linked : bool, (F, L)
    center, axes : float64, (F, 1, 3) and (F, 3, 3)
        See `canonical_frame`.
    canonical : float32, (F, L, 3)
        Cα in these axes, around the origin, Å.
    """

    positions: np.ndarray
    linked: np.ndarray
    center: np.ndarray
    axes: np.ndarray
    canonical: np.ndarray

    @classmethod
    def from_chunk(cls, trace: CGTrace, chunk: FrameChunk, ca_tolerance: float) -> CanonicalChunk:
        """Turn a chunk into its axes, with Cα moved by no more than ``ca_tolerance`` (Å)."""
        linked, positions = trace.linked(chunk.positions), chunk.positions
        if ca_tolerance > 0:
            positions = relax_trace(positions, trace.residue_types, linked, ca_tolerance, trace.next_residue)
        # In 64 bits, so that a turned input becomes the same numbers, whichever of two equally
        # good side chains they lead to; and around the origin, where 32 bits have the most digits.
        center, axes = canonical_frame(positions.astype(np.float64))
        canonical = ((positions - center) @ axes.swapaxes(1, 2)).astype(np.float32)
        return cls(positions, linked, center, axes, canonical)

    def blocks(self, size: int) -> Iterator[tuple[np.ndarray, slice]]:
        """Rows of ``size`` frames at a time, filled up with copies of the last, and which frames are new."""
        for start in range(0, len(self.canonical), size):
            rows = np.minimum(np.arange(start, start + size), len(self.canonical) - 1)
            yield rows, slice(start, min(start + size, len(self.canonical)))

    def restore(self, atoms: np.ndarray) -> None:
        """Turn atoms (F, S, L, 15, 3) back into the axes of the input, with Cα equal to ``positions``."""
        for frame, built in enumerate(atoms):
            atoms[frame] = built.astype(np.float64) @ self.axes[frame] + self.center[frame]
        atoms[:, :, :, CA_SLOT] = self.positions[:, None]
