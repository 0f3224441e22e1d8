"""Coarse-grained beads that all-atom structures should have."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.com_beads.definition import bead_weights
from latcpb_cli.com_beads.distances import BEAD_KINDS, bead_steps
from latcpb_cli.errors import InputError
from latcpb_cli.evaluation.records import AtomFrames
from latcpb_cli.evaluation.residue_sums import ResidueSums
from latcpb_cli.io.beads.whole import shortest_images
from latcpb_cli.io.source import Source
from latcpb_cli.structure import FrameChunk

__all__ = ["BeadMeasures", "BeadReference"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class BeadReference:
    """The beads of a coarse-grained input, for structures that were built on them.

    Attributes
    ----------
    source : Source
        F frames of L residues.
    samples : int
        Structures of each frame, one after the other.
    """

    source: Source
    samples: int

    @classmethod
    def for_structures(
        cls, source: Source, label: str, atoms: AtomFrames, samples: int | None
    ) -> BeadReference:
        """Check that structures belong to the beads: the same sequence, and one or more for each frame.

        Parameters
        ----------
        source : Source
        label : str
            How messages call the structures.
        atoms : AtomFrames
        samples : int or None
            Structures for each frame; None for one.

        Raises
        ------
        InputError
            The residues or the numbers of frames do not fit.
        """
        beads, trace = source.trace, atoms.trace
        name = source.paths[-1].name if source.paths else "the beads"
        if len(beads) != len(trace):
            raise InputError(
                f"{name} has {len(beads)} residues, {label} {len(trace)}",
                "give the input that the structures were built from",
            )
        for row, (ours, theirs) in enumerate(zip(beads.sequence, trace.sequence, strict=True)):
            if ours != theirs:
                raise InputError(
                    f"residue {row + 1}: {beads.labels[row]} in {name}, {trace.labels[row]} in {label}",
                    "give the input that the structures were built from",
                )
        expected = source.n_frames * (samples or 1)
        if len(atoms) != expected:
            ratio, rest = divmod(len(atoms), source.n_frames)
            raise InputError(
                f"{name} has {_several(source.n_frames)}, so {label} should have {expected}, "
                f"not {len(atoms)}",
                f"are these {ratio} samples of each frame? --samples {ratio}"
                if not rest and ratio > 1
                else "give the same frames of both",
            )
        return cls(source, samples or 1)

    def distances(
        self, start: int, atoms: Float[Array, "N L 15 3"], present: Bool[Array, "L 15"]
    ) -> dict[str, Float[Array, "N L"]]:
        """Return the distances (Å) of the beads of some structures, by kind; nan where there is none.

        Parameters
        ----------
        start : int
            Number of the first structure.
        atoms : numpy.ndarray, shape (N, L, 15, 3)
            In Å.
        present : numpy.ndarray of bool, shape (L, 15)
            Atoms that have a position.
        """
        frames, rows = np.unique(np.arange(start, start + len(atoms)) // self.samples, return_inverse=True)
        chunk, trace = _repeated(self.source.read_frames(frames), rows), self.source.trace
        if trace.com_beads is not None:
            chunk = replace(chunk, beads=chunk.positions)
        lacks = ((bead_weights(trace) > 0) & ~present).any(axis=1) | ~present[:, CA_SLOT]
        absent = np.zeros(atoms.shape[:2], dtype=bool) if chunk.missing is None else chunk.missing
        steps = bead_steps(trace, chunk, atoms[:, None], absent[:, None])
        distances = {}
        for kind, step in steps.items():
            nearest = shortest_images(step[:, 0], chunk.boxes)
            length = np.sqrt((nearest * nearest).sum(-1))
            distances[kind] = length if kind == "ca" else np.where(lacks, np.nan, length)
        return distances


def _several(n_frames: int) -> str:
    return f"{n_frames} frame{'' if n_frames == 1 else 's'}"


def _repeated(chunk: FrameChunk, rows: Int[Array, "N"]) -> FrameChunk:
    """Return a chunk with a frame for each structure."""
    columns = {name: value[rows] for name, value in vars(chunk).items() if isinstance(value, np.ndarray)}
    return FrameChunk(**columns, problems=chunk.problems)


class BeadMeasures:
    """Adds the distances of beads up, structure by structure.

    Parameters
    ----------
    reference : BeadReference

    Attributes
    ----------
    columns : dict of str to list of float
        One value for each structure, by the name of the figure.
    """

    def __init__(self, reference: BeadReference) -> None:
        self.reference = reference
        self.columns: dict[str, list[float]] = {}
        self._worst: dict[str, tuple[float, int, int]] = {}

    def add(
        self, start: int, atoms: Float[Array, "N L 15 3"], present: Bool[Array, "L 15"], sums: ResidueSums
    ) -> None:
        """Measure the structures from number ``start`` on, and add to the sums of residues."""
        for kind, values in self.reference.distances(start, atoms, present).items():
            known = np.isfinite(values)
            total, count = np.where(known, values, 0.0), known.sum(axis=1)
            mean = np.where(count > 0, total.sum(axis=1) / np.maximum(count, 1), np.nan)
            self.columns.setdefault(f"beads.{kind}", []).extend(mean.tolist())
            largest = np.where(count > 0, total.max(axis=1), np.nan)
            self.columns.setdefault(f"beads.{kind}_max", []).extend(largest.tolist())
            sums.add(f"{kind}_bead", total.sum(axis=0), known.sum(axis=0))
            structure, residue = np.unravel_index(int(total.argmax()), total.shape)
            worst = float(total[structure, residue]), start + int(structure), int(residue)
            self._worst[kind] = max(self._worst.get(kind, (0.0, 0, 0)), worst)

    def notes(self, label: str) -> list[str]:
        """Name the residue and the structure with the largest distance, for each kind not in place."""
        names = dict(zip(BEAD_KINDS, ("Cα", "centres of mass", "centres of side chains"), strict=True))
        trace = self.reference.source.trace
        return [
            f"{label}: {names[kind]} are farthest from their beads at {trace.labels[residue]} of structure "
            f"{structure}: {distance:.2f} Å"
            for kind, (distance, structure, residue) in self._worst.items()
            if distance > 0
        ]
