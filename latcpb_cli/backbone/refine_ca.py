"""Cα of residues with beads at centres of mass, from structures that were built on them.

Where a structure built on predicted Cα does not reproduce a bead, most of the difference is the error of the
Cα: the residue as a whole is off.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from latcpb_cli.backbone.ca_geometry import fit_distances, ideal_distance
from latcpb_cli.com_beads.definition import centers_of_mass
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["refine_ca"]

_GAIN, _NOISE, _MAX_STEP = 0.5, 0.25, 0.3
"""Part of the difference by which a Cα moves, noise of beads (Å) that halves it, and the most that one moves
(Å); ``benchmarks/beads.py``, held-out chains."""


def refine_ca(trace: CGTrace, chunk: FrameChunk, atoms: Float[np.ndarray, "F L 15 3"]) -> FrameChunk:
    """Return a chunk whose Cα bring the beads of structures nearer to those of the input.

    The noisier beads are, the less Cα follow them.

    Cα that are beads stay to the bit, and distances of neighbours stay those of peptides.

    Parameters
    ----------
    trace : CGTrace
        With ``com_beads``.
    chunk : FrameChunk
        From `latcpb_cli.backbone.place_ca.place_ca`.
    atoms : numpy.ndarray, shape (F, L, 15, 3)
        Structures built on it, Å.
    """
    assert trace.com_beads is not None and chunk.beads is not None
    moves = np.broadcast_to(trace.com_beads, chunk.positions.shape[:2])
    if chunk.missing is not None:
        moves = moves & ~chunk.missing
    centers = centers_of_mass(torch.from_numpy(atoms), torch.from_numpy(trace.residue_types)).numpy()
    noise = np.zeros(len(chunk)) if chunk.bead_noise is None else chunk.bead_noise
    gain = _GAIN / (1.0 + (noise / _NOISE) ** 2)
    step = gain[:, None, None] * np.where(moves[..., None], chunk.beads.astype(np.float64) - centers, 0.0)
    length = np.sqrt((step * step).sum(-1, keepdims=True))
    step *= np.minimum(1.0, _MAX_STEP / np.maximum(length, 1e-9))
    target = ideal_distance(chunk.positions, trace.residue_types, None)
    target = np.where(trace.linked_rows(chunk.positions)[:, :-1], target, np.nan)
    ca = fit_distances(chunk.positions + step, moves.astype(np.float64), target)
    moved = np.where(moves[..., None], ca, chunk.positions).astype(chunk.positions.dtype)
    return replace(chunk, positions=moved)
