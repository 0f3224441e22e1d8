"""Chains that a periodic box has cut are made whole."""

from __future__ import annotations

import numpy as np

from latcpb_cli.structure import BREAK_CUTOFF, CGTrace, box_vectors

__all__ = ["make_whole", "minimum_image_steps"]


def make_whole(trace: CGTrace, positions: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Undo the wrapping of single beads, chain by chain.

    A step between two neighbours is undone only where it is longer than the
    chain between them can reach, so that loops missing from a crystal
    structure stay as they are.

    Parameters
    ----------
    trace : CGTrace
    positions : numpy.ndarray of float32, shape (F, L, 3)
        In Å.
    boxes : numpy.ndarray, shape (F, 6)

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, 3)
        The first bead of each chain stays where it is; frames without a
        wrapped bond come back unchanged to the bit.
    """
    vectors = box_vectors(boxes)
    steps = np.diff(positions.astype(np.float64), axis=1)
    turns = _image_turns(steps, vectors)
    linked = trace.same_chain_as_next()[:-1]
    residues_between = np.maximum(np.diff(trace.resids), 1)
    too_long = np.linalg.norm(steps, axis=-1) > BREAK_CUTOFF * residues_between
    turns[~(too_long & linked)] = 0.0
    if not turns.any():
        return positions
    shifts = np.zeros(positions.shape)
    shifts[:, 1:] = np.cumsum(turns, axis=1)
    chain_starts = np.r_[0, np.flatnonzero(~linked) + 1]
    shifts -= shifts[:, chain_starts][:, trace.chain_index]
    return (positions + shifts @ vectors).astype(np.float32)


def minimum_image_steps(positions: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Distance from each bead to the next, under periodic boundary conditions.

    Parameters
    ----------
    positions : numpy.ndarray, shape (L, 3)
        In Å.
    box : numpy.ndarray, shape (6,)

    Returns
    -------
    numpy.ndarray of float64, shape (L-1,)
    """
    vectors = box_vectors(box[None])
    steps = np.diff(positions.astype(np.float64), axis=0)[None]
    return np.linalg.norm(steps + _image_turns(steps, vectors) @ vectors, axis=-1)[0]


def _image_turns(steps: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Whole box vectors to add to each step (F, L-1, 3) so that it becomes short.

    Rounding fractional coordinates finds the shortest image of every vector
    below half the smallest height of the box, and bonds are far below that.
    """
    periodic = np.abs(np.linalg.det(vectors)) > 0
    inverse = np.zeros_like(vectors)
    inverse[periodic] = np.linalg.inv(vectors[periodic])
    return -np.round(steps @ inverse)
