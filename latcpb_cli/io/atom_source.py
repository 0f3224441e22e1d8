"""All-atom frames that are read when they are needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Int, Int64

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.errors import InputError
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.geometry.pairs import image_shift
from latcpb_cli.io.beads.whole import make_whole
from latcpb_cli.io.readers.frame_choice import FrameChoice
from latcpb_cli.io.readers.frames import Trajectory
from latcpb_cli.io.readers.suppress_warnings import suppress_warnings
from latcpb_cli.structure import CGTrace

__all__ = ["AtomSource", "Hydrogens"]

_Chunk = tuple[int, int, np.ndarray, np.ndarray]
"""First frame, frame after the last, positions (F, N, 3) in Å and boxes (F, 6)."""


@dataclass(frozen=True, eq=False)
class Hydrogens:
    """The H hydrogens of a structure.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (H,)
        Rows of the frames of the file.
    residue, slot : numpy.ndarray of int64, shape (H,)
        The heavy atom that each is bonded to: the nearest of its residue in the first frame.
    """

    rows: Int[np.ndarray, "H"]
    residue: Int[np.ndarray, "H"]
    slot: Int[np.ndarray, "H"]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(eq=False)
class AtomSource:
    """An all-atom structure or trajectory with L residues and F frames, read in pieces.

    Attributes
    ----------
    paths : tuple of pathlib.Path
        Every file that is read, the topology first.
    trace : CGTrace
    present : numpy.ndarray of bool, shape (L, 15)
        Heavy atoms that have a position in every frame.
    left_out : dict of str to int
        Residues of the file that are no part of the structure, counted by residue name.
    hydrogens : Hydrogens or None
        None where the file has none.
    """

    paths: tuple[Path, ...]
    trace: CGTrace
    present: Bool[np.ndarray, "L 15"]
    left_out: dict[str, int]
    hydrogens: Hydrogens | None
    _choice: FrameChoice
    _trajectory: Trajectory
    _indices: Int64[np.ndarray, "L 15"]
    _last: _Chunk | None = field(default=None)

    def __len__(self) -> int:
        return len(self._choice.numbers)

    @property
    def frame_numbers(self) -> Int[np.ndarray, "F"]:
        """Numbers of the frames in the file."""
        return self._choice.numbers

    def read(self, start: int, stop: int) -> Float32[np.ndarray, "F L 15 3"]:
        """Return the atoms of some frames, with chains that a periodic box cuts made whole.

        Parameters
        ----------
        start, stop : int
            The first frame, and the one after the last; beyond the end there are none.

        Returns
        -------
        numpy.ndarray of float32, shape (F, L, 15, 3)
            In Å; zeros where ``present`` is false.

        Raises
        ------
        InputError
            A frame is damaged, or has a residue without a position.
        """
        positions, boxes = self._positions(start, stop)
        atoms: np.ndarray = np.where(self.present[..., None], positions[:, self._indices], np.float32(0.0))
        self._check(atoms, start)
        if boxes.any():
            atoms += self._shifts(atoms, boxes) * self.present[..., None]
        return atoms

    def read_hydrogens(self, start: int, stop: int) -> Float32[np.ndarray, "F H 3"]:
        """Return the hydrogens of some frames, next to the heavy atoms they are bonded to."""
        if self.hydrogens is None:
            raise ValueError("no hydrogens")
        positions, boxes = self._positions(start, stop)
        found: np.ndarray = positions[:, self.hydrogens.rows]
        if not boxes.any():
            return found
        parents = self.read(start, stop)[:, self.hydrogens.residue, self.hydrogens.slot]
        steps = found.astype(np.float64) - parents
        shifts = [image_shift(step, cell) for step, cell in zip(steps, box_vectors(boxes), strict=True)]
        return np.asarray(found + np.stack(shifts), dtype=np.float32)

    def _positions(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Read frames, and keep the last ones: heavy atoms and hydrogens are read one after the other."""
        stop = min(stop, len(self))
        if self._last is None or self._last[:2] != (start, stop):
            with suppress_warnings():
                frames = [self._trajectory.read(int(n)) for n in self._choice.numbers[start:stop]]
            positions = np.stack([frame.positions for frame in frames])
            self._last = (start, stop, positions, np.stack([frame.box for frame in frames]))
        return self._last[2], self._last[3]

    def _check(self, atoms: Float32[np.ndarray, "F L 15 3"], start: int) -> None:
        """Raise where an atom has no position."""
        bad = ~np.isfinite(atoms).all(axis=(2, 3))
        empty = ~atoms.any(axis=(2, 3))
        for problem, what in ((bad, "a position that is not a number"), (empty, "all atoms at 0, 0, 0")):
            if problem.any():
                frame, residue = np.argwhere(problem)[0]
                number = int(self.frame_numbers[start + frame])
                path = self._trajectory.locate(number)[0].path
                raise InputError(
                    f"{path}: frame {number}: {self.trace.labels[residue]} has {what}",
                    "leave the frame out with --frames; or the file is damaged: write it again",
                )

    def _shifts(
        self, atoms: Float32[np.ndarray, "F L 15 3"], boxes: Float32[np.ndarray, "F 6"]
    ) -> Float32[np.ndarray, "F L 15 3"]:
        """Translations that make residues and chains whole."""
        ca = atoms[:, :, CA_SLOT]
        steps = np.where(self.present[..., None], atoms - ca[:, :, None], 0.0)
        inner = [image_shift(step, cell) for step, cell in zip(steps, box_vectors(boxes), strict=True)]
        moved = make_whole(self.trace, ca, boxes) - ca
        return np.asarray(np.stack(inner) + moved[:, :, None], dtype=np.float32)
