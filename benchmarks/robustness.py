"""Quality on inputs that differ from crystals.

    python benchmarks/robustness.py DATA [--weights DIR] [--chains 20] [--frames 5] [--ca-tolerance Å]
                                    [--mode ensemble]

First table: chains with Gaussian noise on their Cα (accuracy against the noise-free atoms). Second table:
traces simulated with CALVADOS 3 (DATA/cg/calvados3_traces), which have no native atoms: geometry and clashes
only. In both, Cα may move by the tolerance. Those files name the inner residues only, so the two ends count
as glycine and are left out of the chemistry.
"""

from __future__ import annotations

import argparse
from itertools import islice

import numpy as np
from arguments import measurement_parser
from chains import rebuild, reference_chains
from tables import Row

from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
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
NOISE = (0.0, 0.1, 0.2, 0.3)  # Å per axis


def rebuild_noisy_chains(backmapper: LoadedModel, options: argparse.Namespace, noise_std: float) -> Row:
    """Rebuild chains after Gaussian noise (Å per axis) on their Cα."""
    row, rng = Row(), np.random.default_rng(0)
    settings = BackmapOptions(mode=options.mode, ca_tolerance=options.ca_tolerance)
    for _, reference, chunk in islice(reference_chains(options.data, options.set), options.chains):
        chunk.positions[:] += noise_std * rng.normal(size=chunk.positions.shape).astype(np.float32)
        row.add(reference, rebuild(backmapper, reference, chunk, settings))
    return row


def rebuild_traces(backmapper: LoadedModel, options: argparse.Namespace) -> Row:
    """Rebuild frames of CALVADOS 3; each structure is its own reference."""
    row = Row()
    settings = BackmapOptions(mode=options.mode, ca_tolerance=options.ca_tolerance)
    for path in sorted((options.data / "cg" / "calvados3_traces").glob("*.npz")):
        with np.load(path, allow_pickle=False) as data:
            positions = data["ca"][: options.frames].astype(np.float32) / 100
            sequence = f"G{data['inner_seq']}G"
        length, count = len(sequence), len(positions)
        resids, icodes = np.arange(1, length + 1), np.full(length, "")
        trace = CGTrace(sequence, np.full(length, "A"), np.zeros(length, dtype=np.int64), resids, icodes)
        chunk = FrameChunk(
            positions, np.arange(count, dtype=float), np.zeros((count, 6), np.float32), np.arange(count)
        )
        atoms = backmapper.sample(trace, chunk, settings)[:, 0]
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
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    print("noise Å " + "".join(f"{name:>20s}" for name in ACCURACY))
    for noise_std in NOISE:
        figures = rebuild_noisy_chains(backmapper, options, noise_std).figures()
        print(f"{noise_std:<8.1f}" + "".join(f"{figures[name]:20.3f}" for name in ACCURACY), flush=True)
    figures = rebuild_traces(backmapper, options).figures()
    print("\nCALVADOS-3 traces")
    for name in GEOMETRY:
        print(f"{name:24s}{figures[name]:10.3f}")


if __name__ == "__main__":
    main()
