"""Measure the favoured and allowed regions of phi and psi in the training split.

    python benchmarks/measure_ramachandran.py DATA/chains > latcpb_cli/chem/ramachandran.txt

One chain per cluster at 50 % identity, 2.0 Å or better, residues with all atoms and a mean B factor below 40
Å². Counts in bins of 4 degrees are smoothed with a Gaussian of one bin; the regions are the densest bins that
hold 98 % and 99.95 % of the residues.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from training_chains import PackedChain, training_chains

from latcpb_cli.chem.ramachandran import MAP_BINS, RESIDUE_CLASSES, map_bin, residue_classes
from latcpb_cli.chem.residues import PRO
from latcpb_cli.metrics.torsions import measure_torsions
from latcpb_cli.train.packed_format import COMPLETE, WRONG_CHIRALITY

FAVOURED, ALLOWED = 0.98, 0.9995
MAX_RESOLUTION, MAX_B_FACTOR = 2.0, 40  # Å, Å²


def chain_angles(chain: PackedChain) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class, phi and psi (rad) of the well-resolved residues of one chain."""
    atoms = np.pad(chain.atoms, ((0, 0), (0, 1), (0, 0)))
    present = np.pad(chain.present, ((0, 0), (0, 1)))
    torsions = measure_torsions(chain.types, atoms[None], present, chain.linked[None])
    phi, psi = torsions[0, :, :2].T
    before_proline = np.append(chain.types[1:] == PRO, False)
    kept = ((chain.flags & (COMPLETE | WRONG_CHIRALITY)) == COMPLETE) & (chain.b_factors < MAX_B_FACTOR)
    kept &= np.isfinite(phi) & np.isfinite(psi)
    return residue_classes(chain.types, before_proline)[kept], phi[kept], psi[kept]


def training_angles(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class, phi and psi (rad) of all well-resolved residues."""
    chains = training_chains(folder, MAX_RESOLUTION, representatives=True)
    classes, phi, psi = zip(*map(chain_angles, chains), strict=True)
    return np.concatenate(classes), np.concatenate(phi), np.concatenate(psi)


def levels(phi: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Map of 0 (outlier), 1 (allowed), 2 (favoured), shape (90, 90)."""
    counts = np.zeros((MAP_BINS, MAP_BINS))
    np.add.at(counts, (map_bin(phi), map_bin(psi)), 1)
    order = np.argsort(gaussian_filter(counts, 1.0, mode="wrap"), axis=None)[::-1]
    cumulative = np.cumsum(counts.ravel()[order]) / counts.sum()
    level = np.zeros(counts.size, dtype=int)
    for fraction in (ALLOWED, FAVOURED):
        level[order[: np.searchsorted(cumulative, fraction) + 1]] += 1
    return level.reshape(counts.shape)


def main() -> None:
    classes, phi, psi = training_angles(Path(sys.argv[1]))
    blocks = []
    for index, name in enumerate(RESIDUE_CLASSES):
        chosen = classes == index
        print(f"{name}: {chosen.sum()} residues", file=sys.stderr)
        rows = ["".join(".-+"[level] for level in row) for row in levels(phi[chosen], psi[chosen])]
        blocks.append("\n".join([name, *rows]))
    print("\n\n".join(blocks))


if __name__ == "__main__":
    main()
