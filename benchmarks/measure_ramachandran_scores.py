"""Measure how usual each pair of φ and ψ is, for the Ramachandran Z-score.

    python benchmarks/measure_ramachandran_scores.py DATA/chains > latcpb_cli/chem/ramachandran_scores.txt

The residues are those of ``measure_ramachandran.py``. The score of a bin of 4 degrees is the logarithm of its
smoothed density, with mean 0 and standard deviation 1 over the residues of its class; a bin without residues
counts as if it had a tenth of one. The first line holds the standard deviation between chains of the mean
score that is left when the part of random residues, 1 / N of a chain of N, is taken off the variance. Scores
are written as one letter each, see ``latcpb_cli/chem/ramachandran_scores.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from measure_ramachandran import MAX_RESOLUTION, chain_angles
from scipy.ndimage import gaussian_filter
from training_chains import training_chains

from latcpb_cli.chem.ramachandran import MAP_BINS, RESIDUE_CLASSES, map_bin
from latcpb_cli.chem.ramachandran_scores import encode_scores

FEWEST = 0.1  # residues of an empty bin
MIN_RESIDUES = 60  # of a chain that tells how much chains differ

Angles = tuple[np.ndarray, np.ndarray, np.ndarray]


def score_map(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Scores (90, 90) from the bins of all residues of a class."""
    counts = np.zeros((MAP_BINS, MAP_BINS))
    np.add.at(counts, (rows, columns), 1)
    logs = np.log(np.maximum(gaussian_filter(counts, 1.0, mode="wrap"), FEWEST))
    found = logs[rows, columns]
    return np.asarray((logs - found.mean()) / found.std())


def spread_between_chains(chains: list[Angles], maps: np.ndarray) -> float:
    """Standard deviation of the mean score of chains, beyond that of random residues."""
    excess = []
    for classes, phi, psi in chains:
        if len(classes) >= MIN_RESIDUES:
            mean = maps[classes, map_bin(phi), map_bin(psi)].mean()
            excess.append(mean**2 - 1 / len(classes))
    return float(np.sqrt(np.mean(excess)))


def main() -> None:
    folder = Path(sys.argv[1])
    chains = [chain_angles(chain) for chain in training_chains(folder, MAX_RESOLUTION, representatives=True)]
    classes, phi, psi = (np.concatenate(column) for column in zip(*chains, strict=True))
    maps = np.stack(
        [
            score_map(map_bin(phi[classes == index]), map_bin(psi[classes == index]))
            for index in range(len(RESIDUE_CLASSES))
        ]
    )
    print(f"{spread_between_chains(chains, maps):.4f}\n")
    print(encode_scores(maps), end="")


if __name__ == "__main__":
    main()
