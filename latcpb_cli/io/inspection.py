"""What the reader understood of its input, measured over all chosen frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latcpb_cli.io.source import Source
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["ChainView", "Inspection", "inspect_source"]

_NUMBERS_PER_CHUNK = 1_000_000


@dataclass(frozen=True)
class ChainView:
    """One chain.

    Attributes
    ----------
    name : str
        Chain identifier of the input, may be "".
    first, last : str
        Labels of the residues at its ends.
    sequence : str
    mean, deviation : float
        Distance of neighbours that a peptide joins, over all frames (Å); nan without any.
    breaks : dict of str to int
        Neighbours without a peptide, as ``A:GLY4-A:SER9``, and in how many frames.
    """

    name: str
    first: str
    last: str
    sequence: str
    mean: float
    deviation: float
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
        PeptideRotations shorter than 3.2 Å in the first frame: built cis.
    chains : tuple of ChainView
    problems : dict of int to str
        What is wrong with frames as read, by frame number.
    """

    n_frames: int
    first_time: float
    last_time: float
    smallest_box: np.ndarray
    largest_box: np.ndarray
    n_cis: int
    chains: tuple[ChainView, ...]
    problems: dict[int, str]


_CIS = 3.2


def inspect_source(source: Source) -> Inspection:
    """Read every chosen frame once, without a model.

    Parameters
    ----------
    source : Source

    Returns
    -------
    Inspection
    """
    trace = source.trace
    sums = np.zeros((3, max(len(trace) - 1, 0)))
    times: list[float] = []
    boxes: list[np.ndarray] = []
    n_cis = 0
    problems: dict[int, str] = {}
    for chunk in source.chunks(max(1, _NUMBERS_PER_CHUNK // (3 * len(trace)))):
        lengths, linked = _steps(trace, chunk)
        if not times:
            n_cis = int((linked[0] & (lengths[0] < _CIS)).sum())
        problems |= chunk.problems
        joined = np.where(linked, lengths, 0.0)
        sums += [linked.sum(axis=0), joined.sum(axis=0), (joined**2).sum(axis=0)]
        times += [float(chunk.times[0]), float(chunk.times[-1])]
        boxes += [chunk.boxes.min(axis=0), chunk.boxes.max(axis=0)]
    return Inspection(
        n_frames=source.n_frames,
        first_time=times[0],
        last_time=times[-1],
        smallest_box=np.min(boxes, axis=0),
        largest_box=np.max(boxes, axis=0),
        n_cis=n_cis,
        chains=tuple(_chain(trace, c, sums, source.n_frames) for c in range(int(trace.chain_index[-1]) + 1)),
        problems=problems,
    )


def _steps(trace: CGTrace, chunk: FrameChunk) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the next bead (F, L-1), and whether a peptide spans it."""
    lengths = np.linalg.norm(np.diff(chunk.positions.astype(np.float64), axis=1), axis=-1)
    return lengths, trace.linked(chunk.positions)[:, :-1]


def _chain(trace: CGTrace, chain: int, sums: np.ndarray, n_frames: int) -> ChainView:
    rows = np.flatnonzero(trace.chain_index == chain)
    first, last = int(rows[0]), int(rows[-1])
    count, total, squares = sums[:, first:last]
    n_bonds = count.sum()
    mean = total.sum() / n_bonds if n_bonds else np.nan
    spread = np.sqrt(max(squares.sum() / n_bonds - mean**2, 0.0)) if n_bonds else np.nan
    broken = np.flatnonzero(count < n_frames)
    return ChainView(
        name=str(trace.chain_ids[first]),
        first=trace.label(first),
        last=trace.label(last),
        sequence=trace.sequence[first : last + 1],
        mean=float(mean),
        deviation=float(spread),
        breaks={
            f"{trace.label(first + i)}-{trace.label(first + i + 1)}": int(n_frames - count[i])
            for i in broken.tolist()
        },
    )
