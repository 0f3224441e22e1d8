"""What an input contains, measured over all chosen frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from latcpb_cli.chem.ideal import cis_cutoff
from latcpb_cli.io.source import Source
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["ChainSummary", "Inspection", "inspect_source"]

_COORDINATES_PER_CHUNK = 1_000_000


@dataclass(frozen=True)
class ChainSummary:
    """One chain.

    Attributes
    ----------
    name : str
        Chain identifier of the input, may be "".
    first, last : str
        Labels of the residues at its ends.
    sequence : str
    mean, std : float
        Distance (Å) of neighbours that a peptide joins, over all frames; nan without any.
    breaks : dict of str to int
        Neighbours without a peptide, as ``A:GLY4-A:SER9``, and in how many frames.
    """

    name: str
    first: str
    last: str
    sequence: str
    mean: float
    std: float
    breaks: dict[str, int]


@dataclass(frozen=True, eq=False)
class Inspection:
    """A trajectory as the model would get it.

    Attributes
    ----------
    n_frames : int
    first_time, last_time : float
        In ps.
    smallest_box, largest_box : numpy.ndarray, shape (6,)
        Edge by edge over all frames; zeros for no box.
    n_cis : int
        Peptides of the first frame that are built cis (`latcpb_cli.chem.ideal.cis_cutoff`).
    chains : tuple of ChainSummary
    problems : dict of int to str
        What is wrong with frames as read, by frame number.
    """

    n_frames: int
    first_time: float
    last_time: float
    smallest_box: Float[np.ndarray, "6"]
    largest_box: Float[np.ndarray, "6"]
    n_cis: int
    chains: tuple[ChainSummary, ...]
    problems: dict[int, str]


def inspect_source(source: Source) -> Inspection:
    """Read every chosen frame once, without a model.

    Parameters
    ----------
    source : Source

    Returns
    -------
    Inspection

    Raises
    ------
    InputError
        A frame cannot be read.
    """
    trace = source.trace
    sums = np.zeros((3, max(len(trace) - 1, 0)))
    times: list[float] = []
    boxes: list[np.ndarray] = []
    n_cis = 0
    problems: dict[int, str] = {}
    for chunk in source.chunks(max(1, _COORDINATES_PER_CHUNK // (3 * len(trace)))):
        lengths, linked = _steps(trace, chunk)
        if not times:
            is_ca = ~_with_center(trace)
            n_cis = int((linked[0] & is_ca & (lengths[0] < cis_cutoff()[trace.residue_types[1:]])).sum())
        problems |= chunk.problems
        joined = np.where(linked, lengths, 0.0)
        sums += [linked.sum(axis=0), joined.sum(axis=0), (joined**2).sum(axis=0)]
        times += [float(chunk.times[0]), float(chunk.times[-1])]
        boxes += [chunk.boxes.min(axis=0), chunk.boxes.max(axis=0)]
    n_chains = int(trace.chain_index[-1]) + 1
    return Inspection(
        n_frames=source.n_frames,
        first_time=times[0],
        last_time=times[-1],
        smallest_box=np.min(boxes, axis=0),
        largest_box=np.max(boxes, axis=0),
        n_cis=n_cis,
        chains=tuple(_summarize_chain(trace, chain, sums, source.n_frames) for chain in range(n_chains)),
        problems=problems,
    )


def _steps(
    trace: CGTrace, chunk: FrameChunk
) -> tuple[Float64[np.ndarray, "F steps"], Bool[np.ndarray, "F steps"]]:
    """Return the distance from each bead to the next, and whether a peptide joins their residues."""
    lengths = np.linalg.norm(np.diff(chunk.positions.astype(np.float64), axis=1), axis=-1)
    linked = trace.linked_rows(chunk.positions)[:, :-1]
    # How far centres of mass are apart says nothing of a break.
    return lengths, linked | (_with_center(trace) & trace.same_chain_as_next()[:-1])


def _with_center(trace: CGTrace) -> Bool[np.ndarray, "steps"]:
    """Return which steps from bead to bead begin or end at a centre of mass."""
    is_com = np.zeros(len(trace), dtype=bool) if trace.com_beads is None else trace.com_beads
    return np.asarray(is_com[1:] | is_com[:-1])


def _summarize_chain(
    trace: CGTrace, chain: int, sums: Float64[np.ndarray, "3 steps"], n_frames: int
) -> ChainSummary:
    """Summarize a chain from the number, the sum and the sum of squares of the bonds at each residue."""
    rows = np.flatnonzero(trace.chain_index == chain)
    first, last = int(rows[0]), int(rows[-1])
    count, total, squares = sums[:, first:last]
    n_bonds = count.sum()
    mean = total.sum() / n_bonds if n_bonds else np.nan
    std = np.sqrt(max(squares.sum() / n_bonds - mean**2, 0.0)) if n_bonds else np.nan
    broken = np.flatnonzero(count < n_frames)
    return ChainSummary(
        name=str(trace.chain_ids[first]),
        first=trace.labels[first],
        last=trace.labels[last],
        sequence=trace.sequence[first : last + 1],
        mean=float(mean),
        std=float(std),
        breaks={
            f"{trace.labels[first + i]}-{trace.labels[first + i + 1]}": int(n_frames - count[i])
            for i in broken.tolist()
        },
    )
