"""Differences between the samples of one frame."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.metrics.accuracy import rmsd, squared_deviation

__all__ = ["pairwise_rmsd"]


def pairwise_rmsd(
    types: Int[np.ndarray, "L"],
    samples: Float[np.ndarray, "S L 15 3"],
    present: Bool[np.ndarray, "L 15"],
    residues: Bool[np.ndarray, "L"],
    slots: Bool[np.ndarray, "15"],
) -> float:
    """Return the mean RMSD over all pairs of samples of one frame, without superposition.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    samples : numpy.ndarray, shape (S, L, 15, 3)
        In Å, two or more samples.
    present : numpy.ndarray of bool, shape (L, 15)
    residues : numpy.ndarray of bool, shape (L,)
        Residues that count.
    slots : numpy.ndarray of bool, shape (15,)
        Slots that count.

    Returns
    -------
    float
        In Å, NaN where no atom counts.
    """
    values = []
    for i, j in combinations(range(len(samples)), 2):
        squares = squared_deviation(types, samples[i : i + 1], samples[j : j + 1], present)
        values.append(rmsd(squares, present, residues[None], slots)[0])
    return float(np.mean(values))
