"""A coarse-grained trajectory that is read chunk by chunk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.frame_check import describe_frame, find_missing, hold, park
from latcpb_cli.io.beads.spacing import Spacing
from latcpb_cli.io.beads.whole import make_whole
from latcpb_cli.io.readers.frames import Frame, Trajectory
from latcpb_cli.io.readers.mda import quiet
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["BeadReader", "Source"]


@dataclass(frozen=True, eq=False)
class BeadReader:
    """Where the beads of a trace stand in the frames of a trajectory.

    Attributes
    ----------
    trajectory : Trajectory
    columns : numpy.ndarray of int64, shape (L,)
    scale : float
        What all lengths are multiplied with.
    """

    trajectory: Trajectory
    columns: np.ndarray
    scale: float

    def read(self, index: int) -> Frame:
        """Read the beads of one frame: positions (L, 3) and box in Å, time in ps."""
        with quiet():
            frame = self.trajectory.read(index)
            # Scaled in 64 bits: 32 would change the last digit of what is given in nm.
            positions = (frame.positions[self.columns].astype(np.float64) * self.scale).astype(np.float32)
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
        Residues without a Cα bead, counted by residue name.
    renamed : dict of (str, str) to int
        Residues read under another name, as (given, standard).
    notes : tuple of str
        Other things that were decided for the user, one line each.
    warnings : tuple of str
        What makes the result doubtful, one line each.
    spacing : Spacing
        Distances between bonded neighbours.
    bead_name : str
        Atom name of the beads, "" where they have none in common.
    strict : bool
        Whether a frame that is not sound ends the reading.
    """

    paths: tuple[Path, ...]
    trace: CGTrace
    frames: np.ndarray
    left_out: dict[str, int]
    renamed: dict[tuple[str, str], int]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    spacing: Spacing
    bead_name: str
    _beads: BeadReader
    _whole: bool
    strict: bool

    @property
    def n_frames(self) -> int:
        """Number of chosen frames."""
        return len(self.frames)

    @property
    def n_all_frames(self) -> int:
        """Number of frames in the files."""
        return len(self._beads.trajectory)

    @property
    def interval(self) -> float:
        """Time between the first two chosen frames in ps; 1 where that says nothing."""
        if self.n_frames < 2:
            return 1.0
        first, second = (self._beads.read(int(index)).time for index in self.frames[:2])
        return second - first if second > first else 1.0

    @property
    def identity(self) -> dict[str, Any]:
        """By what another input, or another reading of it, is recognised; ready for JSON."""
        trace = self.trace
        columns = (trace.chain_ids, trace.chain_index, trace.resids, trace.icodes, self._beads.columns)
        said = repr([trace.sequence, *(column.tolist() for column in columns)])
        return {
            "residues": f"{len(trace)}, {_digest(said)}",
            "frames": f"{self.n_frames}, {_digest(repr(self.frames.tolist()))}",
            "scale": self._beads.scale,
            "pbc": "whole" if self._whole else "none",
        }

    def chunks(self, size: int, start: int = 0) -> Iterator[FrameChunk]:
        """Read the chosen frames from number ``start`` of them on, ``size`` of them at a time.

        Raises
        ------
        InputError
            If a frame cannot be read; under ``strict`` also if beads have no
            position, or a frame is exploded or collapsed.
        """
        for first in range(start, self.n_frames, size):
            yield self.read_frames(np.arange(first, min(first + size, self.n_frames)))

    def read_frames(self, numbers: np.ndarray) -> FrameChunk:
        """Read some of the chosen frames, by their index (int64) among these.

        Raises
        ------
        InputError
            As `chunks` does.
        """
        indices = self.frames[numbers]
        frames = [self._beads.read(int(index)) for index in indices]
        given = np.stack([frame.positions for frame in frames])
        boxes = np.stack([frame.box for frame in frames])
        lost = find_missing(given)
        positions = hold(self.trace, given, lost) if lost.any() else given
        if self._whole:
            positions = make_whole(self.trace, positions, boxes)
        if lost.any():
            positions = park(positions, lost)
        times = np.array([frame.time for frame in frames])
        problems = self._find_problems(indices, positions, lost)
        return FrameChunk(positions, times, boxes, indices, lost if lost.any() else None, problems)

    def _find_problems(
        self, indices: np.ndarray, positions: np.ndarray, missing: np.ndarray
    ) -> dict[int, str]:
        """Describe the frames that are not sound, by frame number; raise under ``strict``."""
        problems = {}
        for row, index in enumerate(indices.tolist()):
            problem = describe_frame(self.trace, positions[row], missing[row], self.spacing.median)
            if problem and self.strict:
                path = self._beads.trajectory.locate(index)[0].path
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
