"""How quality holds on inputs that are no crystals.

    python benchmarks/robustness.py DATA [--weights DIR] [--chains 20] [--frames 5] [--ca-tolerance Å]
                                    [--mode ensemble]

First table: chains with Gaussian noise on their Cα (accuracy against the noise-free atoms). Second table:
real CALVADOS-3 traces (DATA/cg/calvados3_traces), which have no truth: geometry and clashes only, with Cα
free to move by the tolerance. Those files name the inner residues only, so the two ends are taken as
glycine and left out of the chemistry.
"""

from __future__ import annotations

import argparse
from itertools import islice

import numpy as np
from arguments import measurement_parser
from chains import rebuild, reference_chains
from tables import Row

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.structure import AtomStructure, CGTrace, FrameChunk

ACCURACY = ("all_heavy", "backbone", "side_chain", "chi1", "contact12_percent", "overlap04_per_1000")
GEOMETRY = (
    "bonds_percent",
    "peptide_bonds",
    "angles_percent",
    "omega_percent",
    "d_residues",
    "inverted_cb",
    "contact12_percent",
    "overlap04_per_1000",
    "pierced_rings",
    "ramachandran_favoured",
)


def noisy(model: Backmapper, options: argparse.Namespace, spread: float) -> Row:
    """Rebuild chains whose Cα have been moved by Gaussian noise of ``spread`` Å per axis."""
    row, rng = Row(), np.random.default_rng(0)
    for _, reference, chunk in islice(reference_chains(options.data, options.split), options.chains):
        chunk.positions[:] += spread * rng.normal(size=chunk.positions.shape).astype(np.float32)
        row.add(reference, rebuild(model, reference, chunk, options.mode))
    return row


def traces(model: Backmapper, options: argparse.Namespace) -> Row:
    """Rebuild CALVADOS-3 frames; the result stands as its own reference."""
    row = Row()
    for path in sorted((options.data / "cg" / "calvados3_traces").glob("*.npz")):
        with np.load(path, allow_pickle=False) as data:
            positions = data["ca"][: options.frames].astype(np.float32) / 100
            sequence = f"G{data['inner_seq']}G"
        length = len(sequence)
        trace = CGTrace(
            sequence,
            np.full(length, "A"),
            np.zeros(length, dtype=np.int64),
            np.arange(1, length + 1),
            np.full(length, ""),
        )
        count = len(positions)
        chunk = FrameChunk(positions, np.arange(count), np.zeros((count, 6), np.float32), np.arange(count))
        atoms = model.sample(
            trace, chunk, samples=1, seed=0, mode=options.mode, ca_tolerance=options.ca_tolerance
        )[:, 0]
        built = AtomStructure(trace, atoms, slot_mask()[trace.residue_types], {})
        row.add(built, built)
    return row


def main() -> None:
    parser = measurement_parser(__doc__)
    parser.add_argument("--chains", type=int, default=20)
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--ca-tolerance", type=float, default=0.0)
    parser.add_argument("--mode", choices=["best", "ensemble"], default="best")
    options = parser.parse_args()
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    print("noise Å " + "".join(f"{name:>20s}" for name in ACCURACY))
    for spread in (0.0, 0.1, 0.2, 0.3):
        numbers = noisy(model, options, spread).numbers()
        print(f"{spread:<8.1f}" + "".join(f"{numbers[name]:20.3f}" for name in ACCURACY), flush=True)
    numbers = traces(model, options).numbers()
    print("\nCALVADOS-3 traces")
    for name in GEOMETRY:
        print(f"{name:24s}{numbers[name]:10.3f}")


if __name__ == "__main__":
    main()
