"""Distances of neighbouring beads at centres of mass and Cα, by residue type, on held-out training chains.

    python benchmarks/measure_bead_distances.py DATA

Prints the tables of `latcpb_cli.io.beads.kind_distances`: means and variances that add up over the two types.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from arguments import measurement_parser
from chains import reference_chains

from latcpb_cli.chem.residues import CA_SLOT, slot_mask
from latcpb_cli.com_beads.definition import centers_of_mass


def main() -> None:
    options = measurement_parser(__doc__, default="heldout").parse_args()
    first, second, both, after_ca, before_ca = measure(options)
    one_hot = np.eye(20)
    pairs = np.hstack([one_hot[first], one_hot[second]])
    for name, columns, distances in (
        ("_BOTH", pairs, both),
        ("_AFTER_CA", one_hot[second], after_ca),
        ("_BEFORE_CA", one_hot[first], before_ca),
    ):
        mean = np.linalg.lstsq(columns, distances, rcond=None)[0]
        variance = np.linalg.lstsq(columns, (distances - columns @ mean) ** 2, rcond=None)[0]
        print(f"{name} means {np.round(mean, 2).tolist()} variances {np.round(variance, 3).tolist()}")


def measure(options: argparse.Namespace) -> tuple[np.ndarray, ...]:
    """Types of pairs of neighbours; distances (Å) of both centres, and of one and the other's Cα."""
    columns = []
    for structure, native, _ in reference_chains(options.data, options.set):
        types = structure.types
        atoms = torch.from_numpy(native.atoms[0])
        centers, ca = centers_of_mass(atoms, torch.from_numpy(types)).numpy(), native.atoms[0, :, CA_SLOT]
        whole = (structure.present | ~slot_mask()[types]).all(axis=1)
        rows = np.flatnonzero(structure.linked[:-1] & whole[:-1] & whole[1:])
        distances = (
            np.linalg.norm(to[rows + 1] - start[rows], axis=-1)
            for start, to in ((centers, centers), (ca, centers), (centers, ca))
        )
        columns.append((types[rows], types[rows + 1], *distances))
    return tuple(np.concatenate(column) for column in zip(*columns, strict=True))


if __name__ == "__main__":
    main()
