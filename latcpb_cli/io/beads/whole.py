"""Chains that a periodic box has cut are made whole."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.structure import BREAK_CUTOFF, CGTrace

__all__ = ["gather_around_beads", "make_whole", "shortest_images"]


def make_whole(
    trace: CGTrace, positions: Float[np.ndarray, "F L 3"], boxes: Float[np.ndarray, "F 6"]
) -> Float[np.ndarray, "F L 3"]:
    """Undo the wrapping of single beads, chain by chain.

    A step between two neighbours is undone only where it is longer than the
    chain between them can reach, so that loops missing from a crystal
    structure stay as they are, or where its shortest image is a bond, so that
    numbers that jump within a bonded chain do not matter.

    Parameters
    ----------
    trace : CGTrace
    positions : numpy.ndarray of float32, shape (F, L, 3)
        In Å.
    boxes : numpy.ndarray, shape (F, 6)

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, 3)
        The first bead of each chain keeps its position; frames without a
        wrapped bond come back unchanged to the bit.
    """
    vectors = box_vectors(boxes)
    steps = np.diff(positions.astype(np.float64), axis=1)
    images = _image_shifts(steps, vectors)
    linked = trace.same_chain_as_next()[:-1]
    residues_between = np.maximum(np.diff(trace.resids), 1)
    lengths = np.linalg.norm(steps, axis=-1)
    is_bond = np.linalg.norm(steps + images @ vectors, axis=-1) <= BREAK_CUTOFF
    too_long = (lengths > BREAK_CUTOFF * residues_between) | ((lengths > BREAK_CUTOFF) & is_bond)
    images[~(too_long & linked)] = 0.0
    if not images.any():
        return positions
    shifts = np.zeros(positions.shape)
    shifts[:, 1:] = np.cumsum(images, axis=1)
    chain_starts = np.r_[0, np.flatnonzero(~linked) + 1]
    shifts -= shifts[:, chain_starts][:, trace.chain_index]
    whole: np.ndarray = (positions + shifts @ vectors).astype(np.float32)
    return whole


def gather_around_beads(
    atoms: Float[np.ndarray, "F L K 3"],
    positions: Float[np.ndarray, "F L 3"],
    boxes: Float[np.ndarray, "F 6"],
) -> Float[np.ndarray, "F L K 3"]:
    """Move atoms to the periodic image that is nearest to the bead of their residue.

    Parameters
    ----------
    atoms : numpy.ndarray of float32, shape (F, L, K, 3)
        K atoms of each residue, Å; nan for those without a position.
    positions : numpy.ndarray of float32, shape (F, L, 3)
        Beads of whole chains, Å.
    boxes : numpy.ndarray, shape (F, 6)

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, K, 3)
        Atoms that are there already come back unchanged to the bit.
    """
    vectors = box_vectors(boxes)
    steps = (atoms.astype(np.float64) - positions[:, :, None]).reshape(len(atoms), -1, 3)
    images = _image_shifts(steps, vectors)
    images[~np.isfinite(images)] = 0.0
    if not images.any():
        return atoms
    gathered: np.ndarray = (atoms + (images @ vectors).reshape(atoms.shape)).astype(np.float32)
    return gathered


def shortest_images(
    steps: Float64[np.ndarray, "F steps 3"], boxes: Float[np.ndarray, "F 6"]
) -> Float64[np.ndarray, "F steps 3"]:
    """Return the shortest periodic image of each step.

    Parameters
    ----------
    steps : numpy.ndarray of float64, shape (F, steps, 3)
        In Å.
    boxes : numpy.ndarray, shape (F, 6)
        Rows of zeros for no box.

    Returns
    -------
    numpy.ndarray of float64, shape (F, steps, 3)
        In Å.
    """
    vectors = box_vectors(boxes)
    return np.asarray(steps + _image_shifts(steps, vectors) @ vectors)


def _image_shifts(
    steps: Float64[np.ndarray, "F steps 3"], vectors: Float64[np.ndarray, "F 3 3"]
) -> Float64[np.ndarray, "F steps 3"]:
    """Return the numbers of box vectors to add to each step so that it becomes short.

    Rounding fractional coordinates finds the shortest image of every vector
    below half the smallest height of the box, and bonds are far below that.
    """
    periodic = np.abs(np.linalg.det(vectors)) > 0
    inverse = np.zeros_like(vectors)
    inverse[periodic] = np.linalg.inv(vectors[periodic])
    return np.asarray(-np.round(steps @ inverse))
