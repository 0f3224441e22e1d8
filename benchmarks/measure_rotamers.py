"""Measure mean chi angles and shares of every rotameric state in training structures.

    python benchmarks/measure_rotamers.py DATA > latcpb_cli/chem/rotamers.json

Training chains, drawn by sequence cluster. A row is [share, chi 1, chi 2, ...] in degrees,
in the order of ``latcpb_cli.chem.rotamers.states``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch

from latcpb_cli.chem.residues import NAMES
from latcpb_cli.chem.rotamers import chi_cells, rotamer_index, rotamer_states
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.train.batch import make_batch
from latcpb_cli.train.data import load_structures

_BATCHES, _RESIDUES, _WINDOW = 250, 4000, 400
_FEW = 8  # a state seen less often takes the means of its cells


def chis(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Types and chi angles (rad) of residues whose chi angles are all known."""
    structures = load_structures(data, "train", ensembles=0.0)
    types, angles = [], []
    for step in range(_BATCHES):
        batch = make_batch(structures.batch(0, step, _RESIDUES, _WINDOW))
        vector = batch.internal.torsions[:, 4:]
        has = torch.from_numpy(chi_mask())[batch.types]
        whole = (batch.known[:, 4:] == has).all(-1)
        types.append(batch.types[whole].numpy())
        angles.append(torch.atan2(vector[..., 1], vector[..., 0])[whole].numpy())
    return np.concatenate(types), np.concatenate(angles)


def circular_mean(angles: np.ndarray, period: float) -> float:
    """Mean in degrees, within half a period of zero."""
    turns = np.radians(angles) * 360.0 / period
    return float(np.degrees(np.arctan2(np.sin(turns).mean(), np.cos(turns).mean())) * period / 360.0)


def rows(angles: np.ndarray, residue: int) -> list[list[float]]:
    """Share and mean chi angles of each state of a type."""
    cells, found = chi_cells(residue), rotamer_index(np.radians(angles), residue)
    combos = np.array(rotamer_states(residue))
    means = [
        [circular_mean(angles[combos[found, k] == c, k], cell.period) for c in range(len(cell.edges))]
        for k, cell in enumerate(cells)
    ]
    table = []
    for state, combo in enumerate(combos):
        own = angles[found == state]
        chi = [
            circular_mean(own[:, k], cell.period) if len(own) >= _FEW else means[k][combo[k]]
            for k, cell in enumerate(cells)
        ]
        # A state never seen keeps a small share: half a count.
        share = max(len(own), 0.5) / len(angles)
        table.append([round(share, 6), *(round(x, 1) for x in chi)])
    return table


def main() -> None:
    types, angles = chis(Path(sys.argv[1]))
    degrees = np.degrees(angles)
    table = {
        name: rows(degrees[types == residue], residue)
        for residue, name in enumerate(NAMES)
        if chi_cells(residue)
    }
    print("{\n" + ",\n".join(f'"{name}": {json.dumps(value)}' for name, value in table.items()) + "\n}")


if __name__ == "__main__":
    main()
