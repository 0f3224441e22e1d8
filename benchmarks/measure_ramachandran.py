"""Draw the favoured and allowed regions of phi and psi from the training split.

    python benchmarks/measure_ramachandran.py DATA/chains > latcpb_cli/chem/ramachandran.txt

One chain per cluster at 50 % identity, 2.0 Å or better, residues with all
atoms and a mean B below 40 Å2. Counts in bins of 4 degrees are smoothed with a
Gaussian of one bin; the regions are the densest bins that hold 98 % and
99.95 % of the residues.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from latcpb_cli.chem.ramachandran import MAP_BINS, RESIDUE_CLASSES, map_bin, residue_classes
from latcpb_cli.chem.residues import NAMES
from latcpb_cli.metrics.torsions import measure_torsions

FAVOURED, ALLOWED = 0.98, 0.9995
SOUND, BREAK, WRONG = 1, 2, 64
MAX_B = 40
ARRAYS = ("offsets", "coords", "atom_mask", "seq", "flags", "bfac", "rep50")


def chain_angles(data: dict[str, np.ndarray], index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class, phi and psi of the sound residues of one chain."""
    start, stop = data["offsets"][index : index + 2]
    flags, types = data["flags"][start:stop], data["seq"][start:stop].astype(np.int64)
    atoms = np.pad(data["coords"][start:stop] / 100.0, ((0, 0), (0, 1), (0, 0)))
    present = (data["atom_mask"][start:stop, None] >> np.arange(15, dtype=np.uint16)) & 1 > 0
    linked = (flags & BREAK) == 0
    linked[-1] = False
    phi, psi = measure_torsions(types, atoms[None], present, linked[None])[0, :, :2].T
    before = np.append(types[1:] == NAMES.index("PRO"), False)
    sound = ((flags & (SOUND | WRONG)) == SOUND) & (data["bfac"][start:stop] < MAX_B)
    sound &= np.isfinite(phi) & np.isfinite(psi)
    return residue_classes(types, before)[sound], phi[sound], psi[sound]


def training_angles(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class, phi and psi (radians) of all sound residues."""
    rows = list(csv.DictReader((folder / "chains.tsv").open(), delimiter="\t"))
    found = []
    for shard in sorted({row["shard"] for row in rows}):
        with np.load(folder / f"chains_{int(shard):02d}.npz") as archive:
            data = {key: archive[key] for key in ARRAYS}
        for row in rows:
            fine = row["split"] == "train" and row["resolution"] and float(row["resolution"]) <= 2.0
            if row["shard"] == shard and fine and data["rep50"][int(row["index"])]:
                found.append(chain_angles(data, int(row["index"])))
    kinds, phi, psi = (np.concatenate(column) for column in zip(*found, strict=True))
    return kinds, phi, psi


def levels(phi: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Map of 0 (outlier), 1 (allowed), 2 (favoured), shape (90, 90)."""
    counts = np.zeros((MAP_BINS, MAP_BINS))
    np.add.at(counts, (map_bin(phi), map_bin(psi)), 1)
    order = np.argsort(gaussian_filter(counts, 1.0, mode="wrap"), axis=None)[::-1]
    share = np.cumsum(counts.ravel()[order]) / counts.sum()
    marks = np.zeros(counts.size, dtype=int)
    for limit in (ALLOWED, FAVOURED):
        marks[order[: np.searchsorted(share, limit) + 1]] += 1
    return marks.reshape(counts.shape)


def main() -> None:
    kinds, phi, psi = training_angles(Path(sys.argv[1]))
    blocks = []
    for index, name in enumerate(RESIDUE_CLASSES):
        chosen = kinds == index
        print(f"{name}: {chosen.sum()} residues", file=sys.stderr)
        rows = ["".join(".-+"[mark] for mark in row) for row in levels(phi[chosen], psi[chosen])]
        blocks.append("\n".join([name, *rows]))
    print("\n\n".join(blocks))


if __name__ == "__main__":
    main()
