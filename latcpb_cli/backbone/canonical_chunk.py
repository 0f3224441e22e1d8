"""Frames in the axes in which the model computes, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from latcpb_cli.backbone.relax_trace import relax_trace
from latcpb_cli.chem.residues import CA_SLOT, GIVEN_SLOTS
from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.errors import UsageError
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.geometry.canonical_frame import canonical_frame
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["CanonicalChunk", "CanonicalFrames"]


@dataclass(frozen=True, eq=False)
class CanonicalFrames:
    """The inputs of the model for F frames, in its axes and around the origin.

    Attributes
    ----------
    ca : float32, (F, L, 3)
        Cα, Å.
    linked : bool, (F, L)
    backbone : float32, (F, L, 4, 3), or None
        See `FrameChunk`; None where the backbone is built.
    beads : float32, (F, L, 3), or None
        Beads that are centres of atoms, Å; nan for residues without one, and None where no residue has.
    bead_noise : float64, (F,), or None
        See `FrameChunk`.
    peptides : float32, (F, L, 2), or None
        See `RelaxedTrace`; None where Cα are not relaxed.
    """

    ca: np.ndarray
    linked: np.ndarray
    backbone: np.ndarray | None = None
    beads: np.ndarray | None = None
    bead_noise: np.ndarray | None = None
    peptides: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ca)

    def select(self, rows: np.ndarray) -> CanonicalFrames:
        """Return some of the frames."""
        optional = (self.backbone, self.beads, self.bead_noise, self.peptides)
        columns = (None if x is None else x[rows] for x in optional)
        return CanonicalFrames(self.ca[rows], self.linked[rows], *columns)

    def observed_beads(self, trace: CGTrace, device: str) -> ObservedBeads | None:
        """Return the beads of all frames, one after the other, on a device; None where there are none."""
        if self.beads is None:
            return None
        return ObservedBeads.from_trace(trace, self.beads, self.ca, self.bead_noise).to(device)


@dataclass(frozen=True, eq=False)
class CanonicalChunk:
    """F frames in the axes in which the model computes.

    Attributes
    ----------
    positions : (F, L, 3)
        Cα of the output, Å.
    backbone : (F, L, 4, 3), or None
        Atoms that the output keeps, Å; see `FrameChunk`.
    center, axes : float64, (F, 1, 3) and (F, 3, 3)
        See `canonical_frame`.
    canonical : CanonicalFrames
        The frames in these axes.
    """

    positions: np.ndarray
    backbone: np.ndarray | None
    center: np.ndarray
    axes: np.ndarray
    canonical: CanonicalFrames

    @classmethod
    def from_chunk(cls, trace: CGTrace, chunk: FrameChunk, options: BackmapOptions) -> CanonicalChunk:
        """Turn a chunk into its axes, with Cα moved by no more than ``ca_tolerance`` (Å).

        Raises
        ------
        UsageError
            The backbone is to be kept, and the chunk has none; or its beads are not Cα.
        """
        linked, positions, tolerance = trace.linked(chunk.positions), chunk.positions, options.ca_tolerance
        peptides = None
        if tolerance > 0:
            relaxed = relax_trace(positions, trace.residue_types, linked, tolerance, trace.next_residue)
            positions, peptides = relaxed.positions, relaxed.peptides
        backbone = chunk.backbone if options.keep_backbone else None
        if options.keep_backbone and backbone is None:
            raise UsageError(
                "--keep-backbone on frames without one", "read them with Source.keeping_backbone()"
            )
        # In 64 bits, so that a turned input becomes the same numbers, whichever of two equally
        # good side chains they lead to; and around the origin, where 32 bits have the most digits.
        center, axes = canonical_frame(positions.astype(np.float64))
        turn = axes.swapaxes(1, 2)
        ca = ((positions - center) @ turn).astype(np.float32)
        canonical = CanonicalFrames(ca, linked, peptides=peptides)
        if backbone is not None:
            turned = ((backbone - center[:, None]) @ turn[:, None]).astype(np.float32)
            canonical = replace(canonical, backbone=turned)
        if trace.has_centers:
            if chunk.beads is None:
                raise UsageError("frames without their beads", "call place_ca(), or read side-chain beads")
            is_known = np.ones(len(trace), dtype=bool) if trace.com_beads is None else trace.com_beads
            if chunk.missing is not None:
                is_known = is_known & ~chunk.missing
            turned = ((chunk.beads - center) @ turn).astype(np.float32)
            canonical = replace(canonical, beads=np.where(is_known[..., None], turned, np.float32(np.nan)))
        return cls(positions, backbone, center, axes, canonical)

    def blocks(self, size: int, at_least: int) -> Iterator[tuple[np.ndarray, slice]]:
        """Rows of up to ``size`` frames at a time, and which frames are new.

        A block of less than ``at_least`` frames is filled up with copies of the last one.
        """
        for start in range(0, len(self.canonical), size):
            stop = min(start + size, len(self.canonical))
            rows = np.arange(start, max(stop, start + at_least))
            yield np.minimum(rows, len(self.canonical) - 1), slice(start, stop)

    def cells(self, boxes: np.ndarray) -> np.ndarray | None:
        """Vectors (F, 3, 3) of the periodic boxes (F, 6) as rows, Å; None where no frame has a box."""
        return box_vectors(boxes) @ self.axes.swapaxes(1, 2) if boxes[:, :3].any() else None

    def restore(self, atoms: np.ndarray) -> None:
        """Turn atoms (F, S, L, 15, 3) back into the axes of the input, and put in its own atoms."""
        for frame, built in enumerate(atoms):
            atoms[frame] = built.astype(np.float64) @ self.axes[frame] + self.center[frame]
        atoms[:, :, :, CA_SLOT] = self.positions[:, None]
        if self.backbone is not None:
            slots, given = list(GIVEN_SLOTS), self.backbone[:, None]
            atoms[:, :, :, slots] = np.where(np.isnan(given), atoms[:, :, :, slots], given)
