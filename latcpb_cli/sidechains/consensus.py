"""What some frames of a trajectory say of its side chains, for best mode to ask in others that are alike.

Thermal motion of the Cα shakes the probabilities of rotameric states, and best
mode, which takes but one state, flickers with them. Where the chain runs
nearly alike in other frames, these vote as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["RotamerConsensus", "choose_reference_frames"]

_FRAMES = 32  # of a trajectory at most, ...
_RESIDUES = 32768  # ... and so many residues in all of them


def choose_reference_frames(frames: int, residues: int) -> np.ndarray:
    """Which of so many frames are asked: int64, rising and evenly spread."""
    count = min(frames, _FRAMES, max(1, _RESIDUES // residues))
    return np.unique(np.linspace(0, frames - 1, count).round().astype(np.int64))


@dataclass(frozen=True, eq=False)
class RotamerConsensus:
    """Probabilities of rotameric states in M frames of L residues.

    Attributes
    ----------
    frames : numpy.ndarray of int64, shape (M,)
        Their numbers in the trajectory.
    shapes : numpy.ndarray of float64, shape (M, L, K)
        How the chain runs around each residue, Å; see `ca_descriptors`.
    shares : numpy.ndarray of float16, shape (M, L, 81)
        Probability of every state.
    """

    frames: np.ndarray
    shapes: np.ndarray
    shares: np.ndarray

    def votes(self, frames: np.ndarray, shapes: np.ndarray, reach: float) -> Float[Tensor, "L R"]:
        """What the with_consensus frames add to the probabilities of each state in other frames.

        Parameters
        ----------
        frames : numpy.ndarray of int64, shape (F,)
            Their numbers; a frame has no vote on itself.
        shapes : numpy.ndarray of float64, shape (F, L, K)
        reach : float
            A frame whose shape is d (Å) away has exp(-d² / 2 reach²) of a vote.

        Returns
        -------
        Tensor of float32, shape (F * L, 81)
        """
        votes = np.zeros((*shapes.shape[:2], self.shares.shape[-1]), dtype=np.float32)
        # Frame by frame, not as a matrix product, whose last bits could depend on the row.
        for number, shape, share in zip(self.frames, self.shapes, self.shares, strict=True):
            weight = np.exp(-((shapes - shape) ** 2).sum(-1) / (2 * reach**2))
            weight[frames == number] = 0.0
            votes += weight[..., None].astype(np.float32) * share.astype(np.float32)
        return torch.from_numpy(votes).flatten(0, 1)
