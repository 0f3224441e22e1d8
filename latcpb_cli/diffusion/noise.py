"""Random numbers of a sample: functions of seed, sample and frame (or trace), never of the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["FrameNoise", "NoiseSource", "TraceNoise", "gumbel"]

NoiseSource = Callable[[int], Tensor]
"""Returns new standard normal numbers of all residues on the CPU, shape (L, width), for a given width."""

_N_FREQUENCIES = 8
"""Pairs of cosine and sine features. With more of them, correlations within one sample are nearer to their
mean over samples, and take more time."""


class FrameNoise:
    """Standard normal numbers that depend on (seed, frame, sample) alone.

    Batch size, chunking, workers and device do not change them: each (frame,
    sample) has its own counter-based generator (Philox) on the CPU.

    Parameters
    ----------
    seed, sample : int
    frames : sequence of int
        Frame number of each structure of the batch.
    n_residues : int
        Residues of one structure.
    """

    def __init__(self, seed: int, sample: int, frames: Sequence[int], n_residues: int) -> None:
        self.n_residues = n_residues
        self.generators = [
            np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, frame, sample])))
            for frame in frames
        ]

    def __call__(self, width: int) -> Float[Tensor, "L width"]:
        """Return ``width`` new numbers per residue, structure after structure."""
        shape = (self.n_residues, width)
        blocks = [generator.standard_normal(shape, dtype=np.float32) for generator in self.generators]
        return torch.from_numpy(np.concatenate(blocks))


class TraceNoise:
    """Standard normal numbers that change as smoothly as the trace does.

    Each (seed, sample) is a random function of the shape of the chain around a residue: a Gaussian process,
    approximated by random Fourier features (Rahimi & Recht 2007) with normal amplitudes. Every number is
    exactly standard normal. The numbers of a residue in two frames whose descriptors are d apart have a
    correlation of about exp(-d² / 2 length_scale²); those of two residues, samples or calls are independent.
    Like `FrameNoise`, they do not depend on batches, chunks and devices.

    Parameters
    ----------
    seed, sample : int
    descriptors : numpy.ndarray of float64, shape (F, L, descriptors)
        Shape of the chain around each residue of each frame, Å; see `ca_descriptors`.
    length_scale : float
        Distance between descriptors (Å) over which numbers change.
    """

    def __init__(
        self,
        seed: int,
        sample: int,
        descriptors: Float[np.ndarray, "F L descriptors"],
        length_scale: float,
    ) -> None:
        self.generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, sample])))
        n_descriptors = descriptors.shape[-1]
        frequencies = self.generator.standard_normal((n_descriptors, _N_FREQUENCIES)) / length_scale
        # Not by a matrix product, whose last bits could depend on the row.
        phase = (descriptors[..., None] * frequencies).sum(-2)
        self.features = np.concatenate([np.cos(phase), np.sin(phase)], axis=-1) / np.sqrt(_N_FREQUENCIES)

    def __call__(self, width: int) -> Float[Tensor, "FL width"]:
        """Return ``width`` new numbers per residue, frame after frame."""
        n_frames, n_residues = self.features.shape[:2]
        total = np.zeros((n_frames, n_residues, width), dtype=np.float32)
        for feature in np.moveaxis(self.features.astype(np.float32), -1, 0):
            amplitudes = self.generator.standard_normal(total.shape[1:], dtype=np.float32)
            total += feature[..., None] * amplitudes
        return torch.from_numpy(total).flatten(0, 1)


def gumbel(noise: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Turn standard normal numbers into standard Gumbel numbers of the same quantiles."""
    quantile = torch.special.ndtr(noise.double()).clamp(1e-12, 1 - 1e-12)
    return -torch.log(-torch.log(quantile)).to(noise.dtype)
