"""Small all-atom outputs that tests write, and how to load them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import MDAnalysis
import numpy as np
from cg_files import FakeModel, walk

from latcpb_cli.io.writers.atom_writer import open_writer
from latcpb_cli.io.writers.frame_writer import OutputSpec
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk

__all__ = ["BOX", "TRACE", "load_universe", "make_atoms", "make_chunk", "make_trace", "write_frames"]

BOX = [80.0, 90.0, 100.0, 70.0, 80.0, 95.0]


def make_trace(
    sequence: str,
    chains: Sequence[str],
    *,
    resids: Sequence[int] | np.ndarray | None = None,
    icodes: Sequence[str] | None = None,
    chain_index: Sequence[int] | np.ndarray | None = None,
) -> CGTrace:
    """Make a trace whose chains change with their identifiers, numbered from 1 on."""
    ids = np.array(chains)
    if chain_index is None:
        chain_index = np.r_[0, np.cumsum(ids[1:] != ids[:-1])]
    return CGTrace(
        sequence=sequence,
        chain_ids=ids,
        chain_index=np.asarray(chain_index, dtype=np.int64),
        resids=np.asarray(resids if resids is not None else np.arange(1, len(sequence) + 1)),
        icodes=np.array(icodes or [""] * len(sequence)),
    )


TRACE = make_trace(
    "MGWHYAC", list("AAAABBB"), resids=[-5, 99, 100, 100, 1, 2, 9999], icodes=["", "", "", "A", "", "", ""]
)


def make_chunk(trace: CGTrace, n_frames: int = 3, box: Sequence[float] | None = BOX) -> FrameChunk:
    """Make frames 0, 2, 4, ... at 5.0, 7.5, 10.0 ... ps."""
    boxes = np.tile(np.asarray(box or [0] * 6, dtype=np.float32), (n_frames, 1))
    times = 5.0 + 2.5 * np.arange(n_frames)
    return FrameChunk(walk(len(trace), n_frames), times, boxes, 2 * np.arange(n_frames))


def make_atoms(trace: CGTrace, chunk: FrameChunk, samples: int = 1) -> np.ndarray:
    """Make atoms (F, S, L, 15, 3) around the Cα of a chunk."""
    return FakeModel().sample(trace, chunk, BackmapOptions(samples=samples))


def write_frames(
    path: Path,
    trace: CGTrace = TRACE,
    *,
    n_frames: int = 3,
    samples: int = 2,
    box: Sequence[float] | None = BOX,
    bfactors: np.ndarray | None = None,
) -> tuple[AtomTopology, FrameChunk, np.ndarray]:
    """Write frames one by one; return the topology, the chunk and the atoms (F x S, N, 3)."""
    chunk = make_chunk(trace, n_frames, box)
    topology = AtomTopology.heavy_atoms(trace)
    atoms = make_atoms(trace, chunk, samples)
    with open_writer(path, topology, OutputSpec(n_frames, samples, interval=2.5)) as writer:
        for frame in range(n_frames):
            values = None if bfactors is None else bfactors[frame : frame + 1]
            writer.write(atoms[frame : frame + 1], chunk.select(frame), values)
        writer.commit()
    return topology, chunk, topology.flatten(atoms.reshape(-1, *atoms.shape[2:]))


def load_universe(*paths: Path) -> MDAnalysis.Universe:
    """Load files with MDAnalysis, without its warnings and guesses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MDAnalysis.Universe(*[str(path) for path in paths], to_guess=())
