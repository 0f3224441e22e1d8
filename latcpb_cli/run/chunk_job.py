"""How a chunk of frames becomes atoms, in this process or in another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from latcpb_cli.complete.completion import complete
from latcpb_cli.confidence.calibration import require_calibration
from latcpb_cli.confidence.collector import PredictionCollector
from latcpb_cli.confidence.record import Confidence
from latcpb_cli.errors import LatcpbError, first_line
from latcpb_cli.io.source import Source
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.place_centers import place_centers
from latcpb_cli.run.postprocess import NoPostProcessing, PostProcessor
from latcpb_cli.sidechains.consensus import RotamerConsensus, choose_reference_frames
from latcpb_cli.sidechains.references import References
from latcpb_cli.structure import AtomTopology, Bridge, CGTrace, FrameChunk
from latcpb_cli.templates.template_set import TemplateSet

_NO_TEMPLATES = TemplateSet()

__all__ = ["RESIDUES_PER_CHUNK", "BuiltChunk", "ChunkJob", "ModelIdentity"]

RESIDUES_PER_CHUNK = 8192
"""Residues times samples that are held at once, unless one block of the model is more."""


@dataclass(frozen=True, eq=False)
class BuiltChunk:
    """The atoms of a chunk of F frames.

    Attributes
    ----------
    chunk : FrameChunk
        With Cα, wherever the beads of the input are.
    atoms : numpy.ndarray of float32, shape (F, S, L, W, 3)
        In Å; the first ``trace.n_slots`` of the W slots are heavy atoms.
    missing : numpy.ndarray of bool, shape (F, S, L)
        Residues without a position, or with atoms that no file could hold.
    bridges : list of F lists of S tuples
        Disulfides of each structure.
    rows : list of F * S dict
        What post-processing measured of each structure, for the report.
    overlap_counts : OverlapCounts
        Deep overlaps of all of them.
    confidence : Confidence or None
        In all of them, where it is known.
    problems : dict of int to str
        Frames that could not be built, and why.
    error : Exception or None
        Why none of the frames could be built.
    """

    chunk: FrameChunk
    atoms: np.ndarray
    missing: np.ndarray
    bridges: list[list[tuple[Bridge, ...]]]
    rows: list[dict[str, Any]]
    overlap_counts: OverlapCounts = field(default_factory=OverlapCounts)
    confidence: Confidence | None = None
    problems: dict[int, str] = field(default_factory=dict)
    error: Exception | None = None

    def select(self, row: int) -> BuiltChunk:
        """Return a chunk of one of the frames; overlaps are counted for the whole chunk only."""
        rows, chunk, samples = slice(row, row + 1), self.chunk.select(row), self.atoms.shape[1]
        index = int(chunk.indices[0])
        return BuiltChunk(
            chunk,
            self.atoms[rows],
            self.missing[rows],
            self.bridges[rows],
            self.rows[row * samples : (row + 1) * samples],
            confidence=None if self.confidence is None else self.confidence.select(rows),
            problems={index: self.problems[index]} if index in self.problems else {},
        )

    @classmethod
    def concatenate(cls, chunk: FrameChunk, parts: list[BuiltChunk]) -> BuiltChunk:
        """Join the frames of a chunk that were built one by one."""
        atoms, missing = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("atoms", "missing")
        )
        counts = OverlapCounts()
        for part in parts:
            counts.add(part.overlap_counts)
        return cls(
            chunk,
            atoms,
            missing,
            bridges=[joined for part in parts for joined in part.bridges],
            rows=[row for part in parts for row in part.rows],
            overlap_counts=counts,
            confidence=_joined(parts),
            problems={index: problem for part in parts for index, problem in part.problems.items()},
        )


@dataclass(frozen=True)
class ModelIdentity:
    """What a process must have to build the same bytes.

    Attributes
    ----------
    version : str
        Of latcpb.
    checksums : mapping of str to str
        Of the weights: the sha256 of each file, by file name.
    """

    version: str
    checksums: Mapping[str, str]

    def differences(self, expected: ModelIdentity) -> list[str]:
        """Describe what differs from another process; nothing where both build the same bytes."""
        differences = []
        if self.version != expected.version:
            differences.append(f"latcpb {self.version}, not {expected.version}")
        for file in sorted(self.checksums.keys() | expected.checksums.keys()):
            own, other = (x.checksums.get(file, "missing") for x in (self, expected))
            if own != other:
                differences.append(f"{file} {own[:12]}, not {other[:12]}")
        return differences


@dataclass(frozen=True, eq=False)
class ChunkJob:
    """What is done to each chunk of frames of one trace.

    Attributes
    ----------
    trace : CGTrace
    options : BackmapOptions
    limits : tuple of float
        Lowest and highest coordinate (Å) that the output can hold.
    consensus : RotamerConsensus, optional
        Reference frames of a coherent run in best mode; see `with_consensus`.
    templates : TemplateSet
    identity : ModelIdentity, optional
        Of the process that writes; workers must have the same.
    has_confidence : bool
        Whether the confidence in the structures is computed.
    """

    trace: CGTrace
    options: BackmapOptions
    limits: tuple[float, float]
    consensus: RotamerConsensus | None = None
    templates: TemplateSet = _NO_TEMPLATES
    identity: ModelIdentity | None = None
    has_confidence: bool = False

    @cached_property
    def present(self) -> np.ndarray:
        """Which heavy atoms are written: bool, shape (L, ``trace.n_slots``)."""
        return AtomTopology.heavy_atoms(self.trace).present

    def with_consensus(self, backmapper: LoadedModel, source: Source) -> tuple[ChunkJob, dict[int, str]]:
        """Compute the rotamer probabilities of reference frames, where the options need them.

        Returns
        -------
        ChunkJob
        problems : dict of int to str
            Frames that are left out of the reference, and why.

        Raises
        ------
        LatcpbError
        """
        if self.options.consensus_length == 0 or source.n_frames == 1:
            return self, {}
        numbers = choose_reference_frames(source.n_frames, len(self.trace))
        chunk = source.read_frames(numbers)
        try:
            return replace(self, consensus=self._consensus(backmapper, chunk)), {}
        except (LatcpbError, MemoryError):
            raise
        except Exception:
            parts, problems = [], {}
            for number in range(len(chunk)):
                try:
                    parts.append(self._consensus(backmapper, chunk.select(number)))
                except (LatcpbError, MemoryError):
                    raise
                except Exception as error:
                    problem = f"left out of the reference frames ({first_line(error)})"
                    problems[int(chunk.indices[number])] = problem
            return replace(self, consensus=RotamerConsensus.concatenate(parts) if parts else None), problems

    def _consensus(self, backmapper: LoadedModel, chunk: FrameChunk) -> RotamerConsensus:
        placed = place_centers(backmapper, self.trace, chunk)
        return backmapper.rotamer_consensus(self.trace, placed, self.options, self.templates.templates)

    def first_bridges(self, backmapper: LoadedModel, source: Source) -> tuple[Bridge, ...]:
        """Disulfides of the first frame's first structure, which a topology has in all frames."""
        if self.options.disulfides == "none" or self.trace.sequence.count("C") < 2:
            return ()
        built = self.build(backmapper, source.read_frames(np.arange(1)))
        return built.bridges[0][0]

    def build(
        self, backmapper: LoadedModel, chunk: FrameChunk, post_processor: PostProcessor | None = None
    ) -> BuiltChunk:
        """Build the atoms of a chunk. A frame that fails does not take the others with it.

        Raises
        ------
        LatcpbError
        """
        post = post_processor or NoPostProcessing(AtomTopology.heavy_atoms(self.trace))
        try:
            return self._build(backmapper, chunk, post)
        except (LatcpbError, MemoryError):
            raise
        except Exception as error:
            frames = [self._build_alone(backmapper, chunk.select(row), post) for row in range(len(chunk))]
            built = BuiltChunk.concatenate(chunk, frames)
            return replace(built, error=error) if len(built.problems) == len(chunk) else built

    def _build(self, backmapper: LoadedModel, chunk: FrameChunk, post: PostProcessor) -> BuiltChunk:
        chunk = place_centers(backmapper, self.trace, chunk)
        counts, predictions = OverlapCounts(), PredictionCollector() if self.has_confidence else None
        references = References(self.consensus, self.templates.templates)
        atoms = backmapper.sample(self.trace, chunk, self.options, references, counts, predictions)
        atoms, bridges = complete(self.trace, atoms, chunk.boxes, self.options.disulfides)
        confidence = None
        if predictions is not None:
            calibration = require_calibration(backmapper.calibration)
            scores = predictions.scores(self.trace, atoms)
            confidence = calibration.confidence(self.options.settled_mode, self.trace.residue_types, scores)
            if self.options.keep_backbone:
                confidence = confidence.with_given_backbone()
        atoms, rows = post.process(atoms, chunk)
        missing = np.zeros(atoms.shape[:3], dtype=bool)
        if chunk.missing is not None:
            missing = missing | chunk.missing[:, None]
        return self.mark_missing(BuiltChunk(chunk, atoms, missing, bridges, rows, counts, confidence))

    def mark_missing(self, built: BuiltChunk) -> BuiltChunk:
        """Return a chunk whose residues are also missing where the output cannot hold their atoms."""
        heavy, (low, high) = built.atoms[..., : self.trace.n_slots, :], self.limits
        sound = ((heavy > low) & (heavy < high)).all(axis=-1) | ~self.present
        return replace(built, missing=built.missing | ~sound.all(axis=-1))

    def _build_alone(self, backmapper: LoadedModel, chunk: FrameChunk, post: PostProcessor) -> BuiltChunk:
        """Build one frame; atoms of zeros and a problem where that fails."""
        try:
            return self._build(backmapper, chunk, post)
        except Exception as error:
            shape = (1, self.options.samples, len(self.trace))
            width = max(self.trace.n_slots, 1 + int(post.topology.slot.max()))
            problems = {int(chunk.indices[0]): f"could not be built ({first_line(error)})"}
            zeros = np.zeros((*shape, width, 3), dtype=np.float32)
            missing = np.ones(shape, dtype=bool)
            bridges: list[list[tuple[Bridge, ...]]] = [[()] * shape[1]]
            confidence = Confidence.unknown(*shape) if self.has_confidence else None
            rows: list[dict[str, Any]] = [{}] * shape[1]
            return BuiltChunk(chunk, zeros, missing, bridges, rows, confidence=confidence, problems=problems)


def _joined(parts: list[BuiltChunk]) -> Confidence | None:
    """The confidence in the structures of several chunks."""
    known = [part.confidence for part in parts if part.confidence is not None]
    return Confidence.concatenate(known) if known else None
