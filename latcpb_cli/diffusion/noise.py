"""Noise that belongs to a frame and a sample, or to a trace and a sample; never to a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["FrameNoise", "Noise", "TraceNoise", "gumbel"]

Noise = Callable[[int], Tensor]
"""The next draw of all residues, on the CPU: so many numbers for each."""

_WAVES = 8


class FrameNoise:
    """Standard normal draws that depend on (seed, frame, sample) alone.

    Batch size, chunking, workers and device do not change them: each (frame,
    sample) has its own counter-based generator (Philox) on the CPU.

    Parameters
    ----------
    seed, sample : int
    frames : sequence of int
        Frame number of each structure of the batch.
    length : int
        Residues of one structure.
    """

    def __init__(self, seed: int, sample: int, frames: Sequence[int], length: int) -> None:
        self.length = length
        self.generators = [
            np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, frame, sample])))
            for frame in frames
        ]

    def __call__(self, width: int) -> Float[Tensor, "L D"]:
        """The next draw of every structure, one after another; ``width`` numbers per residue."""
        shape = (self.length, width)
        drawn = [generator.standard_normal(shape, dtype=np.float32) for generator in self.generators]
        return torch.from_numpy(np.concatenate(drawn))


class TraceNoise:
    """Standard normal draws that change as smoothly as the trace does.

    Each (seed, sample) is a random function of how the chain runs around a residue: a Gaussian
    process by random Fourier features (Rahimi & Recht 2007) with normal amplitudes. Every number
    is exactly standard normal; those of two frames whose shapes are d apart are correlated by
    exp(-d² / 2 coherence²), more or less; those of two residues, samples or draws are independent.
    Like `FrameNoise`, it knows nothing of batches, chunks and devices.

    Parameters
    ----------
    seed, sample : int
    shapes : numpy.ndarray of float64, shape (F, L, K)
        Of each residue of each frame, Å; see `ca_descriptors`.
    coherence : float
        Length (Å) over which draws change.
    """

    def __init__(self, seed: int, sample: int, shapes: np.ndarray, coherence: float) -> None:
        self.generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, sample])))
        waves = self.generator.standard_normal((shapes.shape[-1], _WAVES)) / coherence
        # Not by a matrix product, whose last bits could depend on the row.
        phase = (shapes[..., None] * waves).sum(-2)
        self.parts = np.concatenate([np.cos(phase), np.sin(phase)], axis=-1) / np.sqrt(_WAVES)

    def __call__(self, width: int) -> Float[Tensor, "L D"]:
        """The next draw of every structure, one after another; ``width`` numbers per residue."""
        frames, length = self.parts.shape[:2]
        drawn = np.zeros((frames, length, width), dtype=np.float32)
        for part in np.moveaxis(self.parts.astype(np.float32), -1, 0):
            drawn += part[..., None] * self.generator.standard_normal(drawn.shape[1:], dtype=np.float32)
        return torch.from_numpy(drawn).flatten(0, 1)


def gumbel(noise: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Gumbel draws from standard normal ones, by their quantiles."""
    quantile = torch.special.ndtr(noise.double()).clamp(1e-12, 1 - 1e-12)
    return -torch.log(-torch.log(quantile)).to(noise.dtype)
