"""Frames that no simulation should have written, and what can still be used of them."""

from __future__ import annotations

import numpy as np

from latcpb_cli.structure import CGTrace

__all__ = ["describe_frame", "find_missing", "hold", "park"]

_FARTHEST = 1e6
"""Coordinates beyond this (Å) are as good as none."""
_LONG, _SHORT, _SHARE = 7.6, 1.9, 0.1
"""A frame is exploded (collapsed) where a tenth of its bonds is longer (shorter) than this (Å)."""
_ROOM = 60.0
"""Distance (Å) between parked beads, and to all others: no interaction of the model reaches so far."""


def find_missing(positions: np.ndarray) -> np.ndarray:
    """Tell which beads have no position.

    Parameters
    ----------
    positions : numpy.ndarray, shape (F, L, 3)
        In Å.

    Returns
    -------
    numpy.ndarray of bool, shape (F, L)
    """
    with np.errstate(invalid="ignore"):
        return ~(np.abs(positions) <= _FARTHEST).all(axis=-1)


def hold(trace: CGTrace, positions: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Put beads without a position where their chain was last, so that it can be made whole around them.

    Parameters
    ----------
    trace : CGTrace
    positions : numpy.ndarray of float32, shape (F, L, 3)
    lost : numpy.ndarray of bool, shape (F, L)

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, 3)
        Finite; the origin where nothing of a chain is known.
    """
    rows = np.arange(len(trace))
    before = np.maximum.accumulate(np.where(lost, -1, rows), axis=1)
    after = np.minimum.accumulate(np.where(lost, len(rows), rows)[:, ::-1], axis=1)[:, ::-1]
    chain = np.r_[trace.chain_index, -1]  # one more, for neighbours that are not there
    nearest = np.where(chain[before] == trace.chain_index, before, after)
    known = chain[nearest] == trace.chain_index
    held = np.take_along_axis(positions, np.minimum(nearest, len(rows) - 1)[..., None], axis=1)
    return np.where(known[..., None], held, np.float32(0.0))


def park(positions: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Put beads without a position where they touch nothing.

    Parameters
    ----------
    positions : numpy.ndarray of float32, shape (F, L, 3)
    lost : numpy.ndarray of bool, shape (F, L)

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, 3)
        Finite; rows that are not lost are unchanged.
    """
    parked = positions.copy()
    for frame in np.flatnonzero(lost.any(axis=1)):
        rows = np.flatnonzero(lost[frame])
        side = int(np.ceil(len(rows) ** (1 / 3)))
        grid = np.stack(np.unravel_index(np.arange(len(rows)), (side + 1,) * 3), axis=1)
        known = positions[frame][~lost[frame]]
        corner = known.max(axis=0) + _ROOM if len(known) else np.zeros(3)
        parked[frame, rows] = corner + _ROOM * grid
    return parked


def describe_frame(trace: CGTrace, positions: np.ndarray, lost: np.ndarray, typical: float) -> str:
    """Say what is wrong with one frame.

    Parameters
    ----------
    trace : CGTrace
    positions : numpy.ndarray, shape (L, 3)
        In Å, chains whole.
    lost : numpy.ndarray of bool, shape (L,)
    typical : float
        Median distance (Å) between bonded neighbours in the whole trajectory.

    Returns
    -------
    str
        Empty for a sound frame.
    """
    said = []
    if lost.any():
        first = int(np.flatnonzero(lost)[0])
        more = int(lost.sum()) - 1
        others = f" and {more} more residue{'s' if more > 1 else ''}" if more else ""
        said.append(f"residue {trace.label(first)}{others}: position is not a number")
    bonded = trace.same_chain_as_next()[:-1] & (np.diff(trace.resids) <= 1) & ~lost[1:] & ~lost[:-1]
    bonds = np.linalg.norm(np.diff(positions.astype(np.float64), axis=0), axis=-1)[bonded]
    if len(bonds):
        scale = max(typical / 3.8, 1.0) if np.isfinite(typical) else 1.0
        for what, wrong in (("exploded", bonds > _LONG * scale), ("collapsed", bonds < _SHORT)):
            if wrong.mean() > _SHARE:
                said.append(f"{what}: {wrong.sum()} of {len(bonds)} neighbours {_range(bonds[wrong])} apart")
    return "; ".join(said)


def _range(values: np.ndarray) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.1f} to {high:.1f} Å" if len(values) > 1 else f"{low:.1f} Å"
