"""Reference chains of a data folder as the package's own structures, and our model on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.chem.residues import LETTERS
from latcpb_cli.options import Mode
from latcpb_cli.structure import AtomStructure, CGTrace, FrameChunk
from latcpb_cli.train.data import Structure, load_ensemble, load_structures


def trace_of(structure: Structure) -> CGTrace:
    """Residues of a chain; where a peptide is missing, a gap in the numbers shows it."""
    length = len(structure)
    gaps = np.concatenate([[0], np.cumsum(~structure.linked[:-1])])
    return CGTrace(
        sequence="".join(LETTERS[t] for t in structure.types),
        chain_ids=np.full(length, "A"),
        # A missing loop ends a chain here: its ends must not be joined, nor counted as inner.
        chain_index=gaps.astype(np.int64),
        resids=np.arange(1, length + 1) + gaps,
        icodes=np.full(length, ""),
    )


def reference_chains(data: Path, split: str) -> Iterator[tuple[Structure, AtomStructure, FrameChunk]]:
    """Each chain of a split: packed, as a reference to compare with, and as the input of a backmapper."""
    yield from _references(load_structures(data, split, ensembles=0.0))


def reference_frames(
    data: Path, ensemble: str, frames: int
) -> Iterator[tuple[Structure, AtomStructure, FrameChunk]]:
    """The same for some frames of one ensemble, evenly spread."""
    every = list(load_ensemble(data, ensemble))
    chosen = np.unique(np.linspace(0, len(every) - 1, min(frames, len(every))).round().astype(int))
    yield from _references(every[number] for number in chosen)


def whole_trajectory(data: Path, ensemble: str, frames: int) -> tuple[AtomStructure, FrameChunk]:
    """The same as one structure of many frames, and as one chunk."""
    found = list(reference_frames(data, ensemble, frames))
    first = found[0][1]
    natives = np.concatenate([reference.atoms for _, reference, _ in found])
    count = len(natives)
    chunk = FrameChunk(
        positions=np.concatenate([chunk.positions for *_, chunk in found]),
        times=np.arange(count, dtype=float),
        boxes=np.zeros((count, 6), dtype=np.float32),
        indices=np.arange(count),
    )
    return AtomStructure(first.trace, natives, first.present, {}), chunk


def _references(
    structures: Iterable[Structure],
) -> Iterator[tuple[Structure, AtomStructure, FrameChunk]]:
    for number, structure in enumerate(structures):
        reference = AtomStructure(trace_of(structure), structure.atoms[None], structure.present, {})
        chunk = FrameChunk(
            positions=structure.atoms[None, :, 1].copy(),
            times=np.zeros(1),
            boxes=np.zeros((1, 6), dtype=np.float32),
            indices=np.array([number]),
        )
        yield structure, reference, chunk


def rebuild(
    model: Backmapper,
    reference: AtomStructure,
    chunk: FrameChunk,
    mode: Mode = "best",
    coherence: float = 0.0,
) -> AtomStructure:
    """One structure for each frame of a chunk, which is all there is of a trajectory."""
    trace = reference.trace
    survey = model.survey(trace, chunk) if mode == "best" and coherence > 0 else None
    atoms = model.sample(trace, chunk, samples=1, seed=0, mode=mode, coherence=coherence, survey=survey)
    return generated_structure(reference, atoms[:, 0])


def generated_structure(reference: AtomStructure, atoms: np.ndarray) -> AtomStructure:
    """Atoms (F, L, 15, 3) of a backmapper beside their reference."""
    return AtomStructure(reference.trace, atoms, reference.present, {})
