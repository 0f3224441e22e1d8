"""Measure mean chi angles and probabilities of every rotameric state in training structures.

    python benchmarks/measure_rotamers.py DATA > latcpb_cli/chem/rotamers.json

Training chains, sampled by sequence cluster. A row is [probability, chi 1, chi 2, ...] in degrees, in the
order of ``latcpb_cli.chem.rotamers.rotamer_states``.
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
from latcpb_cli.geometry.codec import FIRST_CHI
from latcpb_cli.train.batch import make_batch
from latcpb_cli.train.data import load_structures

BATCHES, RESIDUES, WINDOW = 250, 4000, 400
MIN_COUNT = 8  # a rarer state takes the mean chi angles of its cells
PSEUDO_COUNT = 0.5  # of a state that does not occur


def chi_angles(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Types and chi angles (rad) of residues whose chi angles are all known."""
    structures = load_structures(data, "train", ensemble_probability=0.0)
    types, angles = [], []
    for step in range(BATCHES):
        batch = make_batch(structures.batch(0, step, RESIDUES, WINDOW))
        vectors = batch.internal.torsions[:, FIRST_CHI:]
        expected = torch.from_numpy(chi_mask())[batch.types]
        whole = (batch.torsion_mask[:, FIRST_CHI:] == expected).all(-1)
        types.append(batch.types[whole].numpy())
        angles.append(torch.atan2(vectors[..., 1], vectors[..., 0])[whole].numpy())
    return np.concatenate(types), np.concatenate(angles)


def circular_mean(angles: np.ndarray, period: float) -> float:
    """Mean in degrees, within half a period of zero."""
    phases = np.radians(angles) * 360.0 / period
    return float(np.degrees(np.arctan2(np.sin(phases).mean(), np.cos(phases).mean())) * period / 360.0)


def state_rows(angles: np.ndarray, residue: int) -> list[list[float]]:
    """Probability and mean chi angles (degrees) of each state of a type, from its chi angles (degrees)."""
    cells, observed = chi_cells(residue), rotamer_index(np.radians(angles), residue)
    states = np.array(rotamer_states(residue))
    cell_means = [
        [circular_mean(angles[states[observed, k] == c, k], cell.period) for c in range(len(cell.edges))]
        for k, cell in enumerate(cells)
    ]
    table = []
    for state, cell_numbers in enumerate(states):
        members = angles[observed == state]
        chi = [
            circular_mean(members[:, k], cell.period)
            if len(members) >= MIN_COUNT
            else cell_means[k][cell_numbers[k]]
            for k, cell in enumerate(cells)
        ]
        probability = max(len(members), PSEUDO_COUNT) / len(angles)
        table.append([round(probability, 6), *(round(x, 1) for x in chi)])
    return table


def main() -> None:
    types, angles = chi_angles(Path(sys.argv[1]))
    degrees = np.degrees(angles)
    table = {
        name: state_rows(degrees[types == residue], residue)
        for residue, name in enumerate(NAMES)
        if chi_cells(residue)
    }
    print("{\n" + ",\n".join(f'"{name}": {json.dumps(value)}' for name, value in table.items()) + "\n}")


if __name__ == "__main__":
    main()
