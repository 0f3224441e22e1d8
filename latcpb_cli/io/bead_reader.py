"""The beads of a trace, and the atoms beside them, in the frames of a trajectory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Int64

from latcpb_cli.io.readers.frames import Frame, Trajectory
from latcpb_cli.io.readers.mda import suppress_warnings

__all__ = ["BeadReader"]


@dataclass(frozen=True, eq=False)
class BeadReader:
    """Reads the beads of a trace from the frames of a trajectory.

    Attributes
    ----------
    trajectory : Trajectory
    atom_indices : numpy.ndarray of int64, shape (L,)
        Atom of the trajectory that each bead is.
    scale : float
        What all lengths are multiplied with.
    backbone_indices : numpy.ndarray of int64, shape (L, 4), or None
        Atoms of the trajectory that are the `GIVEN_SLOTS` of each residue, -1 for none; None where they are
        not known.
    """

    trajectory: Trajectory
    atom_indices: Int64[np.ndarray, "L"]
    scale: float
    backbone_indices: Int64[np.ndarray, "L 4"] | None = None

    def select(self, rows: Int64[np.ndarray, "M"] | Bool[np.ndarray, "L"]) -> BeadReader:
        """Return a reader of some beads, given by their indices or by a mask."""
        backbone = None if self.backbone_indices is None else self.backbone_indices[rows]
        return replace(self, atom_indices=self.atom_indices[rows], backbone_indices=backbone)

    def read(self, index: int) -> Frame:
        """Read the beads of one frame of the trajectory."""
        return self._read(index, self.atom_indices)

    def read_with_backbone(self, index: int) -> tuple[Frame, Float32[np.ndarray, "L 4 3"]]:
        """Read the beads of one frame, and the backbone atoms of their residues, nan where there is none."""
        length, backbone = len(self.atom_indices), self.backbone_indices
        if backbone is None:
            backbone = np.full((length, 4), -1)
        frame = self._read(index, np.concatenate([self.atom_indices, backbone.ravel()]))
        atoms = frame.positions[length:].reshape(length, 4, 3)
        atoms[backbone < 0] = np.nan
        return replace(frame, positions=frame.positions[:length]), atoms

    def _read(self, index: int, atom_indices: Int64[np.ndarray, "N"]) -> Frame:
        """Read some atoms of one frame."""
        with suppress_warnings():
            frame = self.trajectory.read(index)
            # Scaled in 64 bits: 32 bits would change the last digit of coordinates in nm.
            positions = (frame.positions[atom_indices].astype(np.float64) * self.scale).astype(np.float32)
            box = frame.box.copy()
            box[:3] *= self.scale
        return Frame(positions, frame.time, box)
