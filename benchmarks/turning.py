"""How far the answer to a turned chain is from the turned answer.

    python benchmarks/turning.py DATA [--weights DIR] [--split valid] [--chains 120]

Each chain is turned at random in 64 bits, and given to the model as that and rounded to 32 bits.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
from arguments import measurement_parser
from chains import reference_chains

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk

BOUND = 1e-3  # Å


def built(model: Backmapper, trace: CGTrace, chunk: FrameChunk) -> np.ndarray:
    """Atoms that would be written, (F, N, 3)."""
    atoms = model.sample(trace, chunk, samples=1, seed=0, mode="best")[:, 0]
    return AtomTopology.heavy_atoms(trace).flatten(atoms)


def main() -> None:
    parser = measurement_parser(__doc__)
    parser.add_argument("--chains", type=int, default=120)
    arguments = parser.parse_args()
    model = Backmapper.from_pretrained(arguments.weights)
    rng = np.random.default_rng(0)
    off: dict[str, list[np.ndarray]] = {"float64": [], "float32": []}
    for _, reference, chunk in islice(reference_chains(arguments.data, arguments.split), arguments.chains):
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        turn *= np.linalg.det(turn)
        expected = built(model, reference.trace, chunk).astype(np.float64) @ turn.T
        turned = chunk.positions.astype(np.float64) @ turn.T
        for precision, distances in off.items():
            given = replace(chunk, positions=turned.astype(precision))
            step = built(model, reference.trace, given) - expected
            distances.append(np.linalg.norm(step, axis=-1).ravel())
    for precision, distances in off.items():
        every = np.concatenate(distances)
        print(f"{precision}: {every.size} atoms, {(every > BOUND).sum()} further than {BOUND} Å, "
              f"99.9 % within {np.quantile(every, 0.999):.1e} Å, all within {every.max():.1e} Å")  # fmt: skip


if __name__ == "__main__":
    main()
