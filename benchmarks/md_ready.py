"""Whether molecular dynamics can start from the output of latcpb.

    python benchmarks/md_ready.py DATA [--weights DIR] [--chains 8] [--longest 90] [--steps 1000] [--ps 10]

Chains of DATA, from the shortest on, and the two examples are backmapped through the pipeline with hydrogens.
The file is then read by OpenMM alone: its ForceField (ff14SB) must match every residue, the energy after
minimisation in implicit solvent (OBC2) must be finite, no chiral centre or peptide may flip, and dynamics at
300 K must run. One line for each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from arguments import measurement_parser
from chains import reference_chains
from md_check import MdCheck, check_md_start

from latcpb_cli import backmap_trajectory, open_source
from latcpb_cli.chem.residues import NAMES
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions, MdOptions
from latcpb_cli.read_options import FrameWindow, ReadOptions
from latcpb_cli.structure import CGTrace

EXAMPLES = Path(__file__).parents[1] / "examples"


@dataclass(frozen=True)
class Input:
    """A system to be backmapped."""

    label: str
    trajectory: Path
    topology: Path | None = None
    frames: str | None = None


def inputs(folder: Path, options: argparse.Namespace) -> Iterator[Input]:
    """Yield chains of the set, which are written into a folder, and the examples."""
    references = sorted(reference_chains(options.data, options.set), key=lambda entry: len(entry[0]))
    short = [entry for entry in references if len(entry[0]) <= options.longest]
    for number in np.linspace(0, len(short) - 1, min(options.chains, len(short))).astype(int):
        structure, reference, chunk = short[number]
        name = f"chain {chunk.indices[0]}"
        path = folder / f"{name}.pdb"
        path.write_text(trace_text(reference.trace, chunk.positions[0]))
        yield Input(f"{name}, {len(structure)} residues", path)
    yield Input("tnc, folded", EXAMPLES / "tnc.dcd", EXAMPLES / "tnc.pdb", "50:51")
    yield Input("4ebp2, disordered", EXAMPLES / "4ebp2.xtc", EXAMPLES / "4ebp2.pdb", "50:51")


def trace_text(trace: CGTrace, ca: np.ndarray) -> str:
    """Format Cα (L, 3) as PDB, with the residue numbers of the trace, which have gaps at breaks."""
    lines = []
    residues = zip(trace.residue_types, trace.resids, ca, strict=True)
    for number, (residue_type, resid, position) in enumerate(residues, start=1):
        coordinates = "".join(f"{x:8.3f}" for x in position)
        lines.append(f"ATOM  {number:5d}  CA  {NAMES[residue_type]:>3s} A{resid:4d}    {coordinates}")
    return "\n".join([*lines, "END", ""])


def parse_options() -> argparse.Namespace:
    parser = measurement_parser(__doc__)
    parser.add_argument("--chains", type=int, default=8)
    parser.add_argument("--longest", type=int, default=90, help="residues of the longest chain used")
    parser.add_argument("--steps", type=int, default=1000, help="of minimisation")
    parser.add_argument("--ps", type=float, default=10.0, help="of dynamics")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    backmapper = LoadedModel.from_pretrained(options.weights)
    settings = BackmapOptions(md=MdOptions(hydrogens=True), overwrite=True)
    print(MdCheck.HEADER, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in inputs(folder, options):
            window = ReadOptions(window=FrameWindow(frames=each.frames))
            source = open_source([each.trajectory], each.topology, window)
            output = folder / "out.pdb"
            started = time.perf_counter()
            backmap_trajectory(backmapper, source, output, settings)
            seconds = time.perf_counter() - started
            print(check_md_start(output, options.steps, options.ps).line(each.label, seconds), flush=True)


if __name__ == "__main__":
    main()
