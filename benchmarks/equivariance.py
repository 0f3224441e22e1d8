"""Difference between the structure of a rotated chain and the rotated structure of the chain.

    python benchmarks/equivariance.py DATA [--weights DIR] [--set valid] [--chains 120]

Each chain is rotated at random in 64 bits, and given to the model as that and rounded to 32 bits.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
from arguments import measurement_parser
from chains import reference_chains

from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk

TOLERANCE = 1e-3  # Å, the precision of a PDB file


def written_atoms(backmapper: LoadedModel, trace: CGTrace, chunk: FrameChunk) -> np.ndarray:
    """Atoms that a file would hold, (F, N, 3)."""
    atoms = backmapper.sample(trace, chunk, BackmapOptions())[:, 0]
    return AtomTopology.heavy_atoms(trace).flatten(atoms)


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """Orthogonal matrix of determinant one."""
    matrix: np.ndarray = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    matrix *= np.linalg.det(matrix)
    return matrix


def main() -> None:
    parser = measurement_parser(__doc__)
    parser.add_argument("--chains", type=int, default=120)
    options = parser.parse_args()
    backmapper = LoadedModel.from_pretrained(options.weights)
    rng = np.random.default_rng(0)
    deviations: dict[str, list[np.ndarray]] = {"float64": [], "float32": []}
    for _, reference, chunk in islice(reference_chains(options.data, options.set), options.chains):
        rotation, trace = random_rotation(rng), reference.trace
        expected = written_atoms(backmapper, trace, chunk).astype(np.float64) @ rotation.T
        rotated = chunk.positions.astype(np.float64) @ rotation.T
        for precision, distances in deviations.items():
            rounded = replace(chunk, positions=rotated.astype(precision))
            difference = written_atoms(backmapper, trace, rounded) - expected
            distances.append(np.linalg.norm(difference, axis=-1).ravel())
    for precision, distances in deviations.items():
        distance = np.concatenate(distances)
        print(
            f"{precision}: {distance.size} atoms, {(distance > TOLERANCE).sum()} further than {TOLERANCE} Å, "
            f"99.9 % within {np.quantile(distance, 0.999):.1e} Å, all within {distance.max():.1e} Å"
        )


if __name__ == "__main__":
    main()
