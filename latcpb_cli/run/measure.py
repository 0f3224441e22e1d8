"""What is measured of built atoms before they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.confidence.record import Confidence
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.metrics.clashes import FrameClashes, frame_clashes
from latcpb_cli.metrics.defects import frame_defects
from latcpb_cli.metrics.lasso import find_lassos
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.bead_distances import BeadDistances, bead_distances, bead_rows
from latcpb_cli.run.chunk_job import BuiltChunk, ChunkJob
from latcpb_cli.run.displacement import CaDisplacement
from latcpb_cli.run.template_use import template_use
from latcpb_cli.structure import Bridge, FrameChunk

__all__ = ["MeasuredChunk", "measure_chunk"]


@dataclass(frozen=True, eq=False)
class MeasuredChunk:
    """What is written of a chunk of F frames.

    Attributes
    ----------
    chunk, bridges, overlap_counts, error
        See `BuiltChunk`.
    problems : dict of int to str
        Frames that could not be built, in whole or in part, and why.
    rows : list of F * S dict
        Counts and energies of each structure, for the report.
    atoms : numpy.ndarray of float32, shape (F, S, L, W, 3)
        In Å; zeros for missing residues.
    displacements : list of F CaDisplacement
    clashes : list of F * S FrameClashes
        Empty where there is no report.
    spread : numpy.ndarray of float32, shape (F, L, W), or None
        Root mean square distance (Å) of each atom from its mean over the samples; None for one sample.
    confidence : Confidence or None
        NaN for missing residues; None where it is not known.
    template_use : numpy.ndarray of float64, shape (F, S, L), or None
        See `template_use`; None without a report or templates.
    """

    chunk: FrameChunk
    bridges: list[list[tuple[Bridge, ...]]]
    overlap_counts: OverlapCounts
    error: Exception | None
    problems: dict[int, str]
    rows: list[dict[str, Any]]
    atoms: np.ndarray
    displacements: list[CaDisplacement]
    clashes: list[FrameClashes]
    spread: np.ndarray | None
    confidence: Confidence | None = None
    template_use: np.ndarray | None = None


def measure_chunk(job: ChunkJob, built: BuiltChunk) -> MeasuredChunk:
    """Compare with the input, count clashes and defects, and set missing residues to zero."""
    atoms, missing, n_slots = built.atoms, built.missing, job.trace.n_slots
    heavy = atoms[..., :n_slots, :]
    clashes, rows = [], built.rows
    if job.options.report:
        clashes = list(_clashes(job, built, heavy))
        counts = zip(_defects(job, built, heavy), _lassos(job, built), rows, strict=True)
        rows = [defects | {"lassos": threaded} | row for defects, threaded, row in counts]
    distances = bead_distances(job.trace, built.chunk, heavy, missing)
    if job.options.report:
        rows = [row | new for row, new in zip(rows, bead_rows(job.trace, distances), strict=True)]
    confidence = None if built.confidence is None else built.confidence.without(missing)
    if job.options.report and confidence is not None:
        rows = [row | {"confidence": mean} for row, mean in zip(rows, confidence.means(), strict=True)]
    use = None
    if job.options.report and job.templates.templates:
        use = template_use(job.trace, built.chunk, heavy, missing, job.templates)
    if missing.any():
        atoms = np.where(missing[..., None, None], np.float32(0.0), atoms)
    return MeasuredChunk(
        built.chunk,
        built.bridges,
        built.overlap_counts,
        built.error,
        _problems(built),
        rows,
        atoms,
        _displacements(distances, len(built.chunk)),
        clashes,
        _spread(atoms),
        confidence,
        use,
    )


def _displacements(distances: BeadDistances, n_frames: int) -> list[CaDisplacement]:
    """Sum the distances of each frame: of Cα in its first sample, of centres in all."""
    displacements = [CaDisplacement()] * n_frames
    if "ca" in distances:
        displacements = [CaDisplacement.from_distances(frame) for frame in distances["ca"][:, 0]]
    for kind in distances.keys() - {"ca"}:
        pairs = zip(displacements, distances[kind], strict=True)
        displacements = [moved.with_centers(frame) for moved, frame in pairs]
    return displacements


def _problems(built: BuiltChunk) -> dict[int, str]:
    """Frames with residues that had a position in the input and still could not be built."""
    problems, chunk = dict(built.problems), built.chunk
    given = np.zeros(built.missing[:, 0].shape, dtype=bool) if chunk.missing is None else chunk.missing
    not_built = built.missing.any(axis=1) & ~given
    for row in np.flatnonzero(not_built.any(axis=1)):
        problem = f"{not_built[row].sum()} residues not built: coordinates that no file can hold"
        problems.setdefault(int(chunk.indices[row]), problem)
    return problems


def _clashes(job: ChunkJob, built: BuiltChunk, heavy: np.ndarray) -> Iterator[FrameClashes]:
    """Count the clashes of every sample, frame by frame."""
    boxes = np.repeat(built.chunk.boxes, job.options.samples, axis=0)
    for rows, present, atoms, linked in _same_atoms(job, built, heavy):
        trace = job.trace
        yield from frame_clashes(trace.residue_kinds, atoms, present, linked, boxes[rows], trace.next_residue)


def _defects(job: ChunkJob, built: BuiltChunk, heavy: np.ndarray) -> Iterator[dict[str, int]]:
    """Count the geometric defects of every sample, frame by frame."""
    for _, present, atoms, linked in _same_atoms(job, built, heavy[..., :N_SLOTS, :]):
        yield from frame_defects(job.trace, atoms, present, linked)


def _lassos(job: ChunkJob, built: BuiltChunk) -> Iterator[int]:
    """Count the disulfides of every sample whose loop a chain runs through."""
    chunk = built.chunk
    frames = zip(chunk.positions, box_vectors(chunk.boxes), built.bridges, strict=True)
    linked = job.trace.linked_rows(chunk.positions)
    for frame_linked, (ca, cell, samples) in zip(linked, frames, strict=True):
        yield from (len(find_lassos(ca, frame_linked, bridges, cell)) for bridges in samples)


def _same_atoms(
    job: ChunkJob, built: BuiltChunk, heavy: np.ndarray
) -> Iterator[tuple[slice, np.ndarray, np.ndarray, np.ndarray]]:
    """Stretches of structures with the same atoms: rows, which atoms, their positions, and the peptides."""
    linked = np.repeat(job.trace.linked(built.chunk.positions), job.options.samples, axis=0)
    atoms, missing = (x.reshape(-1, *x.shape[2:]) for x in (heavy, built.missing))
    present = job.present[:, : heavy.shape[-2]]
    # Frames with missing residues are rare, and each has atoms of its own.
    for rows in _stretches(np.asarray(missing.any(axis=1))):
        mask = present & ~missing[rows.start][:, None]
        yield rows, mask, np.where(mask[:, :, None], atoms[rows], 0.0), linked[rows]


def _stretches(alone: np.ndarray) -> list[slice]:
    """Split rows into stretches: marked rows one by one, the others together."""
    starts = np.flatnonzero(np.r_[True, alone[1:] | alone[:-1]])
    stops = np.r_[starts[1:], len(alone)]
    return [slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def _spread(atoms: np.ndarray) -> np.ndarray | None:
    """See `MeasuredChunk`, for atoms (F, S, L, W, 3)."""
    if atoms.shape[1] == 1:
        return None
    squares = ((atoms - atoms.mean(1, keepdims=True)) ** 2).sum(-1)
    return np.asarray(np.sqrt(squares.mean(1)))
