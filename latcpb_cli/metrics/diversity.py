"""How much the samples of one frame differ from each other."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from latcpb_cli.metrics.accuracy import rmsd, squared_deviation

__all__ = ["pairwise_rmsd"]


def pairwise_rmsd(
    types: np.ndarray, samples: np.ndarray, present: np.ndarray, residues: np.ndarray, slots: np.ndarray
) -> float:
    """Mean RMSD over all pairs of samples of one frame, nothing superposed.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    samples : numpy.ndarray, shape (S, L, 15, 3)
        In Å, two or more samples.
    present : numpy.ndarray of bool, shape (L, 15)
    residues : numpy.ndarray of bool, shape (L,)
    slots : numpy.ndarray of bool, shape (15,)
        Slots that count.

    Returns
    -------
    float
        In Å, NaN where there is no such atom.
    """
    pairs = np.array(list(combinations(range(len(samples)), 2)))
    values = [
        rmsd(
            squared_deviation(types, samples[i : i + 1], samples[j : j + 1], present),
            present,
            residues[None],
            slots,
        )[0]
        for i, j in pairs
    ]
    return float(np.mean(values))
