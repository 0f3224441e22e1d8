"""A coarse-grained trajectory that is read chunk by chunk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int64

from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.frame_check import (
    describe_frame,
    fill_from_chain,
    find_collapsed,
    find_missing,
    move_far_away,
)
from latcpb_cli.io.beads.spacing import Spacing
from latcpb_cli.io.beads.whole import make_whole
from latcpb_cli.io.readers.frames import Frame, Trajectory
from latcpb_cli.io.readers.mda import suppress_warnings
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["BeadReader", "Source"]


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
    """

    trajectory: Trajectory
    atom_indices: Int64[np.ndarray, "L"]
    scale: float

    def select(self, rows: Int64[np.ndarray, "M"] | Bool[np.ndarray, "L"]) -> BeadReader:
        """Return a reader of some beads, given by their indices or by a mask."""
        return replace(self, atom_indices=self.atom_indices[rows])

    def read(self, index: int) -> Frame:
        """Read the beads of one frame of the trajectory."""
        with suppress_warnings():
            frame = self.trajectory.read(index)
            # Scaled in 64 bits: 32 bits would change the last digit of coordinates in nm.
            positions = (frame.positions[self.atom_indices].astype(np.float64) * self.scale).astype(
                np.float32
            )
            box = frame.box.copy()
            box[:3] *= self.scale
        return Frame(positions, frame.time, box)


@dataclass(frozen=True, eq=False)
class Source:
    """A coarse-grained trajectory that is read chunk by chunk.

    Attributes
    ----------
    paths : tuple of pathlib.Path
        Every file that is read, the topology first.
    trace : CGTrace
    frames : numpy.ndarray of int64, shape (F,)
        Numbers of the chosen frames in the trajectory.
    left_out : dict of str to int
        Residues that are no amino acid or have no Cα bead, counted by residue name.
    renamed : dict of (str, str) to int
        Residues read under another name, as (given, standard).
    notes : tuple of str
        Other decisions that the user should know about, one line each.
    warnings : tuple of str
        What makes the result doubtful, one line each.
    spacing : Spacing
        Distances between bonded neighbours.
    bead_name : str
        Atom name of the beads, "" where they have none in common.
    strict : bool
        Whether a frame with problems ends the reading.
    """

    paths: tuple[Path, ...]
    trace: CGTrace
    frames: Int64[np.ndarray, "F"]
    left_out: dict[str, int]
    renamed: dict[tuple[str, str], int]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    spacing: Spacing
    bead_name: str
    strict: bool
    _reader: BeadReader
    _make_whole: bool

    @property
    def n_frames(self) -> int:
        """Number of chosen frames."""
        return len(self.frames)

    @property
    def n_all_frames(self) -> int:
        """Number of frames in the files."""
        return len(self._reader.trajectory)

    @property
    def interval(self) -> float:
        """Time between the first two chosen frames in ps; 1 where it is not positive."""
        if self.n_frames < 2:
            return 1.0
        first, second = (self._reader.read(int(index)).time for index in self.frames[:2])
        return second - first if second > first else 1.0

    @property
    def identity(self) -> dict[str, Any]:
        """What differs for another input, or another reading of it; ready for JSON."""
        trace = self.trace
        columns = (trace.chain_ids, trace.chain_index, trace.resids, trace.icodes, self._reader.atom_indices)
        text = repr([trace.sequence, *(column.tolist() for column in columns)])
        return {
            "residues": f"{len(trace)}, {_digest(text)}",
            "frames": f"{self.n_frames}, {_digest(repr(self.frames.tolist()))}",
            "scale": self._reader.scale,
            "pbc": "whole" if self._make_whole else "none",
            "cyclic_chains": list(trace.cyclic_chains),
        }

    def chunks(self, size: int, start: int = 0) -> Iterator[FrameChunk]:
        """Read the chosen frames in order.

        Parameters
        ----------
        size : int
            Frames in each chunk; the last one may have fewer.
        start : int
            Number of the first one to read among the chosen frames.

        Yields
        ------
        FrameChunk

        Raises
        ------
        InputError
            If a frame cannot be read; under ``strict`` also if beads have no
            position, or a frame is exploded or collapsed.
        """
        for first in range(start, self.n_frames, size):
            yield self.read_frames(np.arange(first, min(first + size, self.n_frames)))

    def read_frames(self, numbers: Int64[np.ndarray, "F"]) -> FrameChunk:
        """Read some of the chosen frames.

        Parameters
        ----------
        numbers : numpy.ndarray of int64, shape (F,)
            Which of the chosen frames, counted from 0; at least one.

        Returns
        -------
        FrameChunk

        Raises
        ------
        InputError
            As `chunks` does.
        """
        indices = self.frames[numbers]
        frames = [self._reader.read(int(index)) for index in indices]
        positions = given = np.stack([frame.positions for frame in frames])
        boxes = np.stack([frame.box for frame in frames])
        missing = find_missing(positions)
        if missing.any():
            positions = fill_from_chain(self.trace, positions, missing)
        if self._make_whole:
            positions = make_whole(self.trace, positions, boxes)
        collapsed = find_collapsed(positions, missing)
        absent = missing | collapsed
        if absent.any():
            positions = move_far_away(positions, absent)
        return FrameChunk(
            positions=positions,
            times=np.array([frame.time for frame in frames]),
            boxes=boxes,
            indices=indices,
            missing=absent if absent.any() else None,
            problems=self._find_problems(indices, positions, given, missing, collapsed),
        )

    def _find_problems(
        self,
        indices: Int64[np.ndarray, "F"],
        positions: Float[np.ndarray, "F L 3"],
        given: Float[np.ndarray, "F L 3"],
        missing: Bool[np.ndarray, "F L"],
        collapsed: Bool[np.ndarray, "F L"],
    ) -> dict[int, str]:
        """Describe the frames that have problems, by frame number; raise under ``strict``."""
        problems = {}
        for row, index in enumerate(indices.tolist()):
            problem = describe_frame(
                self.trace, positions[row], missing[row], self.spacing.median, given[row], collapsed[row]
            )
            if problem and self.strict:
                path = self._reader.trajectory.locate(index)[0].path
                raise InputError(
                    f"{path}: frame {index}, {problem}",
                    "the simulation blew up or the file is damaged; leave the frame out with --frames, "
                    "or go on without --strict",
                )
            if problem:
                problems[index] = problem
        return problems


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
