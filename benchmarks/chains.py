"""Reference chains of a data folder as `AtomStructure`, and their reconstruction by latcpb."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import CA_SLOT, LETTERS
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.sidechains.references import References
from latcpb_cli.structure import AtomStructure, CGTrace, FrameChunk
from latcpb_cli.templates.template import Template
from latcpb_cli.train.data import load_ensemble, load_structures
from latcpb_cli.train.structures import Structure

__all__ = [
    "Reference",
    "generated_structure",
    "rebuild",
    "reference_chains",
    "reference_frames",
    "references",
    "trace_from_structure",
    "whole_trajectory",
]

DEFAULT_OPTIONS = BackmapOptions()

Reference = tuple[Structure, AtomStructure, FrameChunk]
"""A structure as it is packed, as reference to compare with, and as input of a backmapper."""


def trace_from_structure(structure: Structure) -> CGTrace:
    """Residues of a chain; a break starts a new chain and leaves a gap in the residue numbers."""
    length = len(structure)
    gaps = np.concatenate([[0], np.cumsum(~structure.linked[:-1])])
    return CGTrace(
        sequence="".join(LETTERS[t] for t in structure.types),
        chain_ids=np.full(length, "A"),
        # The ends of a missing loop must not be joined, nor counted as inner residues.
        chain_index=gaps.astype(np.int64),
        resids=np.arange(1, length + 1) + gaps,
        icodes=np.full(length, ""),
    )


def reference_chains(data: Path, name: str) -> Iterator[Reference]:
    """Yield the chains of a set: ``heldout``, or a split of the data."""
    yield from references(load_structures(data, name, ensemble_probability=0.0))


def reference_frames(data: Path, ensemble: str, frames: int) -> Iterator[Reference]:
    """Yield some frames of one ensemble, evenly spaced."""
    conformations = list(load_ensemble(data, ensemble))
    count = len(conformations)
    chosen = np.unique(np.linspace(0, count - 1, min(frames, count)).round().astype(int))
    yield from references(conformations[number] for number in chosen)


def whole_trajectory(data: Path, ensemble: str, frames: int) -> tuple[AtomStructure, FrameChunk]:
    """The same frames as one structure, and as one chunk."""
    references = list(reference_frames(data, ensemble, frames))
    first = references[0][1]
    natives = np.concatenate([reference.atoms for _, reference, _ in references])
    count = len(natives)
    chunk = FrameChunk(
        positions=np.concatenate([chunk.positions for *_, chunk in references]),
        times=np.arange(count, dtype=float),
        boxes=np.zeros((count, 6), dtype=np.float32),
        indices=np.arange(count),
    )
    return AtomStructure(first.trace, natives, first.present, {}), chunk


def references(structures: Iterable[Structure]) -> Iterator[Reference]:
    """Yield structures as references and inputs; their number is that of the frame."""
    for number, structure in enumerate(structures):
        reference = AtomStructure(
            trace_from_structure(structure), structure.atoms[None], structure.present, {}
        )
        chunk = FrameChunk(
            positions=structure.atoms[None, :, CA_SLOT].copy(),
            times=np.zeros(1),
            boxes=np.zeros((1, 6), dtype=np.float32),
            indices=np.array([number]),
        )
        yield structure, reference, chunk


def rebuild(
    backmapper: LoadedModel,
    reference: AtomStructure,
    chunk: FrameChunk,
    options: BackmapOptions = DEFAULT_OPTIONS,
    templates: tuple[Template, ...] = (),
) -> AtomStructure:
    """Rebuild each frame of a chunk that is a whole trajectory; the first sample of each."""
    trace, consensus = reference.trace, None
    if options.consensus_length > 0:
        consensus = backmapper.rotamer_consensus(trace, chunk, options, templates)
    atoms = backmapper.sample(trace, chunk, options, References(consensus, templates))
    return generated_structure(reference, atoms[:, 0])


def generated_structure(reference: AtomStructure, atoms: np.ndarray) -> AtomStructure:
    """Atoms (F, L, 15, 3) with the residues of their reference."""
    return AtomStructure(reference.trace, atoms, reference.present, {})
