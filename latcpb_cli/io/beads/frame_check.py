"""Frames with missing, exploded or collapsed coordinates, and what can still be used of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from latcpb_cli.structure import BREAK_CUTOFF, CGTrace

__all__ = ["describe_frame", "fill_from_chain", "find_collapsed", "find_missing", "move_far_away"]

_MAX_COORDINATE = 1e6
"""Coordinates beyond this (Å) count as missing."""
_MAX_BOND, _MIN_BOND, _MAX_BAD_FRACTION = 7.6, 1.9, 0.1
"""A frame is exploded (collapsed) where a tenth of its bonds is longer (shorter) than this (Å)."""
_CA_CA = 3.8
_COLLAPSED_CELL, _MIN_COLLAPSED = 3.0, 8
"""Beads are collapsed where so many share a cubic cell with an edge of so many Å; in a protein, four can."""
_SEPARATION = 60.0
"""Distance (Å) of beads without a position from each other and from all others.

No interaction of the model reaches so far.
"""


def find_missing(positions: Float[np.ndarray, "F L 3"]) -> Bool[np.ndarray, "F L"]:
    """Mark the beads that have no position.

    Parameters
    ----------
    positions : numpy.ndarray, shape (F, L, 3)
        In Å.

    Returns
    -------
    numpy.ndarray of bool, shape (F, L)
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(~(np.abs(positions) <= _MAX_COORDINATE).all(axis=-1))


def find_collapsed(
    positions: Float[np.ndarray, "F L 3"], missing: Bool[np.ndarray, "F L"]
) -> Bool[np.ndarray, "F L"]:
    """Mark the beads that lie nearly on one point with many others.

    Atoms on them would all overlap, at a cost that grows with the square of
    their number, and mean nothing.

    Parameters
    ----------
    positions : numpy.ndarray, shape (F, L, 3)
        In Å, finite.
    missing : numpy.ndarray of bool, shape (F, L)
        Beads without a position, which are not marked.

    Returns
    -------
    numpy.ndarray of bool, shape (F, L)
    """
    collapsed = np.zeros(missing.shape, dtype=bool)
    for frame, absent in enumerate(missing):
        rows = np.flatnonzero(~absent)
        points = positions[frame, rows].astype(np.float64)
        # A second grid, shifted by half a cell, has in one cell what the first one divides at a corner.
        for shift in (0.0, 0.5):
            cells = np.floor(points / _COLLAPSED_CELL + shift).astype(np.int64)
            keys = (cells[:, 0] << 42) + (cells[:, 1] << 21) + cells[:, 2]
            _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
            collapsed[frame, rows] |= counts[inverse] >= _MIN_COLLAPSED
    return collapsed


def fill_from_chain(
    trace: CGTrace, positions: Float[np.ndarray, "F L 3"], missing: Bool[np.ndarray, "F L"]
) -> Float[np.ndarray, "F L 3"]:
    """Give beads without a position that of a neighbour in their chain.

    The chain can then be made whole around them.

    Parameters
    ----------
    trace : CGTrace
    positions : numpy.ndarray of float32, shape (F, L, 3)
        In Å.
    missing : numpy.ndarray of bool, shape (F, L)

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, 3)
        A missing bead gets the position of the last bead before it that has
        one, else of the first one after it; the origin where a whole chain is
        missing.
    """
    rows = np.arange(len(trace))
    before = np.maximum.accumulate(np.where(missing, -1, rows), axis=1)
    after = np.minimum.accumulate(np.where(missing, len(rows), rows)[:, ::-1], axis=1)[:, ::-1]
    chain = np.r_[trace.chain_index, -1]  # one more entry, which both -1 and L select
    nearest = np.where(chain[before] == trace.chain_index, before, after)
    known = chain[nearest] == trace.chain_index
    filled = np.take_along_axis(positions, np.minimum(nearest, len(rows) - 1)[..., None], axis=1)
    return np.where(known[..., None], filled, np.float32(0.0))


def move_far_away(
    positions: Float[np.ndarray, "F L 3"], missing: Bool[np.ndarray, "F L"]
) -> Float[np.ndarray, "F L 3"]:
    """Put beads without a position on a grid where they touch nothing.

    Parameters
    ----------
    positions : numpy.ndarray of float32, shape (F, L, 3)
        In Å.
    missing : numpy.ndarray of bool, shape (F, L)

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, 3)
        Finite; beads that are not missing are unchanged.
    """
    moved = positions.copy()
    for frame in np.flatnonzero(missing.any(axis=1)):
        rows = np.flatnonzero(missing[frame])
        side = int(np.ceil(len(rows) ** (1 / 3)))
        grid = np.stack(np.unravel_index(np.arange(len(rows)), (side + 1,) * 3), axis=1)
        known = positions[frame][~missing[frame]]
        corner = known.max(axis=0) + _SEPARATION if len(known) else np.zeros(3)
        moved[frame, rows] = corner + _SEPARATION * grid
    return moved


def describe_frame(
    trace: CGTrace,
    positions: Float[np.ndarray, "L 3"],
    missing: Bool[np.ndarray, "L"],
    median_bond: float,
    given: Float[np.ndarray, "L 3"],
    collapsed: Bool[np.ndarray, "L"],
) -> str:
    """Describe what is wrong with one frame.

    Parameters
    ----------
    trace : CGTrace
    positions : numpy.ndarray, shape (L, 3)
        In Å, chains whole.
    missing : numpy.ndarray of bool, shape (L,)
    median_bond : float
        Median distance (Å) between bonded neighbours in the whole trajectory.
    given : numpy.ndarray, shape (L, 3)
        Positions as the file has them, for the reason why beads are missing.
    collapsed : numpy.ndarray of bool, shape (L,)
        Beads that are not built because many lie on one point.

    Returns
    -------
    str
        Empty for a frame without problems.
    """
    problems = []
    if missing.any():
        first = int(np.flatnonzero(missing)[0])
        more = int(missing.sum()) - 1
        others = f" and {more} more residue{'s' if more > 1 else ''}" if more else ""
        reason = f"beyond {_MAX_COORDINATE:,.0f} Å" if np.isfinite(given[first]).all() else "not a number"
        problems.append(f"residue {trace.labels[first]}{others}: position is {reason}")
    if collapsed.any():
        first = int(np.flatnonzero(collapsed)[0])
        where = f"{collapsed.sum()} residues from {trace.labels[first]} on, nearly on one point"
        problems.append(f"collapsed: not built: {where}")
    absent = missing | collapsed
    bonded = trace.same_chain_as_next()[:-1] & (np.diff(trace.resids) <= 1) & ~absent[1:] & ~absent[:-1]
    bonds = np.linalg.norm(np.diff(positions.astype(np.float64), axis=0), axis=-1)[bonded]
    if len(bonds):
        scale = max(median_bond / _CA_CA, 1.0) if np.isfinite(median_bond) else 1.0
        for what, bad in (("exploded", bonds > _MAX_BOND * scale), ("collapsed", bonds < _MIN_BOND)):
            if bad.mean() > _MAX_BAD_FRACTION:
                problems.append(f"{what}: {bad.sum()} of {len(bonds)} neighbours {_range(bonds[bad])} apart")
    for ends in trace.rings:
        distance = float(np.linalg.norm(np.diff(positions[list(ends)].astype(np.float64), axis=0)))
        if distance > BREAK_CUTOFF and not absent[list(ends)].any():
            labels = " and ".join(trace.labels[end] for end in ends)
            problems.append(f"ring open: {labels} are {distance:.1f} Å apart")
    return "; ".join(problems)


def _range(values: Float[np.ndarray, "N"]) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.1f} to {high:.1f} Å" if len(values) > 1 else f"{low:.1f} Å"
