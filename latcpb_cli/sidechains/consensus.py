"""Rotamer probabilities from reference frames, used to smooth best-mode predictions in similar frames.

Thermal motion of the Cα changes rotamer probabilities from frame to frame, and best mode, which takes one
rotamer, flickers with them. Where the chain has nearly the same shape around a residue in another frame,
the probabilities of that frame are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["RotamerConsensus", "choose_reference_frames"]

_MAX_FRAMES = 32
"""Reference frames of a trajectory: bounds the time of their evaluation."""
_MAX_RESIDUES = 32768
"""Reference frames times residues: bounds the memory of the probabilities (81 in 16 bits per residue)."""


def choose_reference_frames(n_frames: int, n_residues: int) -> Int[np.ndarray, "references"]:
    """Choose evenly spread frames: rising frame numbers below ``n_frames``, int64."""
    count = min(n_frames, _MAX_FRAMES, max(1, _MAX_RESIDUES // n_residues))
    return np.unique(np.linspace(0, n_frames - 1, count).round().astype(np.int64))


@dataclass(frozen=True, eq=False)
class RotamerConsensus:
    """Rotamer probabilities of L residues in reference frames.

    Attributes
    ----------
    frames : numpy.ndarray of int64, shape (references,)
        Frame numbers in the trajectory.
    descriptors : numpy.ndarray of float64, shape (references, L, descriptors)
        Shape of the chain around each residue, Å; see `ca_descriptors`.
    probabilities : numpy.ndarray of float16, shape (references, L, 81)
        Probability of every rotamer.
    """

    frames: Int[np.ndarray, "references"]
    descriptors: Float[np.ndarray, "references L descriptors"]
    probabilities: Float[np.ndarray, "references L R"]

    @classmethod
    def concatenate(cls, parts: Sequence[RotamerConsensus]) -> RotamerConsensus:
        """Join reference frames of the same residues."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def weights(
        self,
        frames: Int[np.ndarray, "F"],
        descriptors: Float[np.ndarray, "F L descriptors"],
        length: float,
    ) -> Float[Tensor, "FL R"]:
        """Sum the probabilities of the reference frames, weighted by similarity, for other frames.

        Parameters
        ----------
        frames : numpy.ndarray of int64, shape (F,)
            Frame numbers; a reference frame has no weight in itself.
        descriptors : numpy.ndarray of float64, shape (F, L, descriptors)
            Shape of the chain around each residue of these frames, Å.
        length : float
            A reference frame whose descriptors are d (Å) away has the weight exp(-d² / 2 length²).

        Returns
        -------
        Tensor of float32, shape (F * L, 81)
        """
        total = np.zeros((*descriptors.shape[:2], self.probabilities.shape[-1]), dtype=np.float32)
        # Frame by frame, not as a matrix product, whose last bits could depend on the row.
        reference = zip(self.frames, self.descriptors, self.probabilities, strict=True)
        for number, descriptor, probability in reference:
            weight = np.exp(-((descriptors - descriptor) ** 2).sum(-1) / (2 * length**2))
            weight[frames == number] = 0.0
            total += weight[..., None].astype(np.float32) * probability.astype(np.float32)
        return torch.from_numpy(total).flatten(0, 1)
