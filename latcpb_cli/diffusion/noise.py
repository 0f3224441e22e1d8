"""Noise that belongs to a frame and a sample, not to a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["FrameNoise", "gumbel"]


class FrameNoise:
    """Standard normal draws that depend on (seed, frame, sample) alone.

    Batch size, chunking, workers and device do not change them: each (frame,
    sample) has its own counter-based generator (Philox) on the CPU.

    Parameters
    ----------
    seed : int
    keys : sequence of (int, int)
        Frame number and sample number of each structure of the batch.
    shape : (int, int)
        Residues and width of one structure's latent.
    """

    def __init__(self, seed: int, keys: Sequence[tuple[int, int]], shape: tuple[int, int]) -> None:
        self.shape = shape
        self.generators = [
            np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, frame, sample])))
            for frame, sample in keys
        ]

    def __call__(self, device: torch.device | str = "cpu", width: int | None = None) -> Float[Tensor, "L D"]:
        """The next draw of every structure, one after another; ``width`` numbers per residue."""
        shape = (self.shape[0], width or self.shape[1])
        drawn = [generator.standard_normal(shape, dtype=np.float32) for generator in self.generators]
        return torch.from_numpy(np.concatenate(drawn)).to(device)


def gumbel(noise: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Gumbel draws from standard normal ones, by their quantiles."""
    quantile = torch.special.ndtr(noise.double()).clamp(1e-12, 1 - 1e-12)
    return -torch.log(-torch.log(quantile)).to(noise.dtype)
