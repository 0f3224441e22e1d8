"""A coarse-grained trajectory that is read chunk by chunk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from latcpb_cli.errors import InputError
from latcpb_cli.io.backbone_atoms import BACKBONE_OFFER, describe_unbonded, drop_unbonded, require_backbone
from latcpb_cli.io.bead_reader import BeadReader
from latcpb_cli.io.beads.frame_check import (
    describe_frame,
    fill_from_chain,
    find_collapsed,
    find_missing,
    move_far_away,
)
from latcpb_cli.io.beads.spacing import Spacing
from latcpb_cli.io.beads.whole import gather_around_beads, make_whole
from latcpb_cli.io.readers.frames import Frame
from latcpb_cli.io.side_chain_beads import describe_strayed, drop_strayed
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["Source"]


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
    _keeps_backbone: bool = False

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
            "backbone": self._backbone_digest(),
            "com_beads": "" if trace.com_beads is None else _digest(repr(trace.com_beads.tolist())),
            "side_chains": self._side_chain_digest(),
        }

    def keeping_backbone(self, wanted: bool = True) -> Source:
        """Return the trajectory with N, C, O and CB of the input in its chunks, where that is wanted.

        Raises
        ------
        InputError
            Residues have no N or no C, or these are not bonded to the Cα in most of the first frame.
        """
        if not wanted or self._keeps_backbone:
            return self
        path = self._path_of(int(self.frames[0]))
        if self.trace.com_beads is not None:
            raise InputError(
                f"{path}: --keep-backbone keeps the atoms beside Cα beads, not beside centres of mass",
                "leave out --keep-backbone, or read the beads as Cα with --beads ca",
            )
        note = require_backbone(path, self.trace, self._reader.backbone_indices)
        notes = (*(other for other in self.notes if other != BACKBONE_OFFER), note)
        kept = replace(self, notes=notes, _keeps_backbone=True)
        first = kept.read_frames(np.arange(1))
        if first.backbone is not None and np.isnan(first.backbone[0, :, 0, 0]).mean() > 0.5:
            raise InputError(
                f"{path}: frame {self.frames[0]}: N or C is not bonded to the Cα in most residues",
                "give the topology of the trajectory, and leave out --pbc none",
            )
        return kept

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
        frames, backbone, side_chains = self._read(indices)
        given = np.stack([frame.positions for frame in frames])
        boxes = np.stack([frame.box for frame in frames])
        missing = find_missing(given)
        positions = fill_from_chain(self.trace, given, missing) if missing.any() else given
        if self._make_whole:
            positions = make_whole(self.trace, positions, boxes)
        collapsed = find_collapsed(positions, missing)
        problems = [
            describe_frame(self.trace, *frame[:2], self.spacing.median, *frame[2:])
            for frame in zip(positions, missing, given, collapsed, strict=True)
        ]
        absent = missing | collapsed
        if backbone is not None:
            if self._make_whole:
                backbone = gather_around_beads(backbone, positions, boxes)
            backbone, unbonded = drop_unbonded(backbone, positions, absent)
            problems = [
                "; ".join(filter(None, (problem, describe_unbonded(self.trace, residues))))
                for problem, residues in zip(problems, unbonded, strict=True)
            ]
            absent |= unbonded
        if side_chains is not None:
            side_chains, problems = self._check_side_chains(side_chains, positions, boxes, problems)
        return FrameChunk(
            positions=move_far_away(positions, absent) if absent.any() else positions,
            times=np.array([frame.time for frame in frames]),
            boxes=boxes,
            indices=indices,
            missing=absent if absent.any() else None,
            problems=self._check_problems(indices, problems),
            backbone=backbone,
            beads=side_chains,
        )

    def _read(
        self, indices: Int64[np.ndarray, "F"]
    ) -> tuple[list[Frame], Float[np.ndarray, "F L 4 3"] | None, Float[np.ndarray, "F L 3"] | None]:
        """Read the beads of some frames, and the backbones and side-chain beads where they are used."""
        backbone = self._reader.backbone_indices if self._keeps_backbone else None
        side_chains = self._reader.side_chain_indices
        side_chains = None if self.trace.side_chain_center is None else side_chains
        used = [x for x in (backbone, None if side_chains is None else side_chains[:, None]) if x is not None]
        if not used:
            return [self._reader.read(index) for index in indices.tolist()], None, None
        others = np.concatenate(used, axis=1)
        pairs = [self._reader.read_with(index, others) for index in indices.tolist()]
        atoms = np.stack([atoms for _, atoms in pairs])
        return (
            [frame for frame, _ in pairs],
            None if backbone is None else atoms[:, :, : backbone.shape[1]],
            None if side_chains is None else atoms[:, :, -1],
        )

    def _check_side_chains(
        self,
        side_chains: Float[np.ndarray, "F L 3"],
        positions: Float[np.ndarray, "F L 3"],
        boxes: Float[np.ndarray, "F 6"],
        problems: list[str],
    ) -> tuple[Float[np.ndarray, "F L 3"], list[str]]:
        """Gather side-chain beads around their Cα, and leave out those too far away, which is a problem."""
        if self._make_whole:
            side_chains = gather_around_beads(side_chains[:, :, None], positions, boxes)[:, :, 0]
        side_chains, strayed = drop_strayed(self.trace, side_chains, positions)
        described = (describe_strayed(self.trace, residues) for residues in strayed)
        return side_chains, ["; ".join(filter(None, x)) for x in zip(problems, described, strict=True)]

    def _check_problems(self, indices: Int64[np.ndarray, "F"], problems: Sequence[str]) -> dict[int, str]:
        """Return the problems of frames that have any, by frame number; raise under ``strict``."""
        found = {index: problem for index, problem in zip(indices.tolist(), problems, strict=True) if problem}
        if found and self.strict:
            index, problem = next(iter(found.items()))
            raise InputError(
                f"{self._path_of(index)}: frame {index}, {problem}",
                "the simulation blew up or the file is damaged; leave the frame out with --frames, "
                "or go on without --strict",
            )
        return found

    def _path_of(self, index: int) -> Path:
        """Return the file that holds a frame."""
        return self._reader.trajectory.locate(index)[0].path

    def _backbone_digest(self) -> str:
        """Return what differs for other backbone atoms; "" where none are kept."""
        indices = self._reader.backbone_indices
        return _digest(repr(indices.tolist())) if self._keeps_backbone and indices is not None else ""

    def _side_chain_digest(self) -> str:
        """Return what differs for other side-chain beads; "" where none are used."""
        center, indices = self.trace.side_chain_center, self._reader.side_chain_indices
        return "" if center is None or indices is None else f"{center}, {_digest(repr(indices.tolist()))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
