"""The beads of a trace, and the atoms beside them, in the frames of a trajectory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Int64

from latcpb_cli.io.readers.frames import Frame, Trajectory
from latcpb_cli.io.readers.suppress_warnings import suppress_warnings

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
    side_chain_indices : numpy.ndarray of int64, shape (L,), or None
        Atoms of the trajectory at the centres of side chains, -1 for none; None where they are not known.
    """

    trajectory: Trajectory
    atom_indices: Int64[np.ndarray, "L"]
    scale: float
    backbone_indices: Int64[np.ndarray, "L 4"] | None = None
    side_chain_indices: Int64[np.ndarray, "L"] | None = None

    def select(self, rows: Int64[np.ndarray, "M"] | Bool[np.ndarray, "L"]) -> BeadReader:
        """Return a reader of some beads, given by their indices or by a mask."""
        backbone, side_chain = (
            None if indices is None else indices[rows]
            for indices in (self.backbone_indices, self.side_chain_indices)
        )
        beads = self.atom_indices[rows]
        return replace(self, atom_indices=beads, backbone_indices=backbone, side_chain_indices=side_chain)

    def read(self, index: int) -> Frame:
        """Read the beads of one frame of the trajectory."""
        return self._read(index, self.atom_indices)

    def read_with(
        self, index: int, others: Int64[np.ndarray, "L K"]
    ) -> tuple[Frame, Float32[np.ndarray, "L K 3"]]:
        """Read the beads of one frame, and K other atoms of each residue.

        Parameters
        ----------
        index : int
        others : numpy.ndarray of int64, shape (L, K)
            Atoms of the trajectory, -1 for none.

        Returns
        -------
        frame : Frame
        atoms : numpy.ndarray of float32, shape (L, K, 3)
            In Å; nan where there is none.
        """
        length = len(self.atom_indices)
        frame = self._read(index, np.concatenate([self.atom_indices, others.ravel()]))
        atoms = frame.positions[length:].reshape(*others.shape, 3)
        atoms[others < 0] = np.nan
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
