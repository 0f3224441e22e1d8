"""Beads made from all-atom simulations, as CALVADOS 3 has them: domains at centres of mass, linkers at Cα.

    python benchmarks/md_domains.py DATA [--frames 12]

Adenylate kinase, with its two hinges as linkers. Kinds of beads are found by latcpb. RMSDs of N, CA, C and O
are those from the same frame of the simulation, without superposition: mean of frames, and the worst. Counts
of defects are per frame, over all residues. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from arguments import measurement_parser
from beads import BACKBONE, beads
from chains import whole_trajectory

from latcpb_cli import Backmapper
from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.structure import AtomStructure

ENSEMBLES = ("adk_dims", "adk_dims2", "adk_tmd", "adk_oplsaa")
DOMAINS = ((1, 112), (122, 159), (167, 214))
"""First and last residues whose beads are centres of mass: both parts of CORE with NMP, and LID."""
COUNTS = ("peptide_bonds", "d_residues", "cis_non_proline", "pierced_rings", "overlap04_per_1000")


def main() -> None:
    options = parse_options()
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    columns = ["kinds right, %", *(f"{first}-{last}" for first, last in DOMAINS), "worst", "linkers", *COUNTS]
    print("| | " + " | ".join(columns) + " |\n|---" + "|---" * len(columns) + "|")
    for name in ENSEMBLES:
        native, _ = whole_trajectory(options.data, name, options.frames)
        print(
            f"| {name} | " + " | ".join(f"{value:.3g}" for value in measure(model, native)) + " |", flush=True
        )


def measure(model: Backmapper, native: AtomStructure) -> list[float]:
    """Build all frames from their beads; return the values of a row of the table."""
    is_center = np.zeros(len(native.trace), dtype=bool)
    for first, last in DOMAINS:
        is_center[first - 1 : last] = True
    with_centers = replace(native, trace=replace(native.trace, com_beads=is_center))
    positions = np.where(is_center[:, None], beads(with_centers), native.atoms[:, :, CA_SLOT])
    result = model.backmap(positions, sequence=native.trace.sequence)
    found = result.run.source.trace.com_beads
    backbone = result.universe.select_atoms("name N CA C O")
    built = np.array([backbone.positions.copy() for _ in result.universe.trajectory])
    squares = ((built.reshape(len(built), -1, 4, 3) - native.atoms[:, :, BACKBONE]) ** 2).sum(-1)
    errors = [np.sqrt(squares[:, first - 1 : last].mean((1, 2))) for first, last in DOMAINS]
    rows = result.report.frames
    return [
        100.0 * float(np.mean(found == is_center)),
        *(float(error.mean()) for error in errors),
        float(np.max(errors)),
        float(np.sqrt(squares[:, ~is_center].mean())),
        *(float(np.mean([row[name] for row in rows])) for name in COUNTS),
    ]


def parse_options() -> argparse.Namespace:
    parser = measurement_parser(__doc__)
    parser.add_argument("--frames", type=int, default=12, help="(%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
