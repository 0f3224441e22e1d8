"""Whether molecular dynamics can start from what latcpb writes.

    python benchmarks/md_ready.py DATA [--weights DIR] [--chains 8] [--longest 90] [--steps 1000] [--ps 10]

Chains of DATA, from the shortest on, and the two examples are backmapped through the pipeline with hydrogens.
What is on the disk is then read by OpenMM alone: its ForceField (ff14SB) must match every residue, the energy
after so many steps of minimisation in implicit solvent (OBC2) must be finite, no chiral centre or peptide may
turn, and so many ps of dynamics at 300 K must run. One line for each.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from arguments import measurement_parser
from chains import reference_chains
from ready import Verdict, judge

from latcpb_cli import Backmapper, backmap_trajectory, open_source
from latcpb_cli.chem.residues import NAMES
from latcpb_cli.options import FrameWindow, MdOptions, ReadOptions
from latcpb_cli.structure import CGTrace

EXAMPLES = Path(__file__).parents[1] / "examples"


def inputs(
    folder: Path, data: Path, split: str, chains: int, longest: int
) -> Iterator[tuple[str, list[Path], str | None]]:
    """Name, files and --frames of each input."""
    found = sorted(reference_chains(data, split), key=lambda entry: len(entry[0]))
    short = [entry for entry in found if len(entry[0]) <= longest]
    for number in np.linspace(0, len(short) - 1, min(chains, len(short))).astype(int):
        structure, reference, chunk = short[number]
        name = f"chain {chunk.indices[0]}"
        path = folder / f"{name}.pdb"
        write_trace(path, reference.trace, chunk.positions[0])
        yield f"{name}, {len(structure)} residues", [path], None
    yield "tnc, folded", [EXAMPLES / "tnc.dcd", EXAMPLES / "tnc.pdb"], "50:51"
    yield "4ebp2, disordered", [EXAMPLES / "4ebp2.xtc", EXAMPLES / "4ebp2.pdb"], "50:51"


def write_trace(path: Path, trace: CGTrace, ca: np.ndarray) -> None:
    lines = []
    for i, (kind, resid) in enumerate(zip(trace.residue_types, trace.resids, strict=True)):
        place = f"{NAMES[kind]:>3s} A{resid:4d}"
        lines.append(f"ATOM  {i + 1:5d}  CA  {place}    " + "".join(f"{x:8.3f}" for x in ca[i]))
    path.write_text("\n".join([*lines, "END", ""]))


def main() -> None:
    parser = measurement_parser(__doc__)
    parser.add_argument("--chains", type=int, default=8)
    parser.add_argument("--longest", type=int, default=90, help="residues of the longest chain taken")
    parser.add_argument("--steps", type=int, default=1000, help="of minimisation")
    parser.add_argument("--ps", type=float, default=10.0, help="of dynamics")
    given = parser.parse_args()
    model = Backmapper.from_pretrained(given.weights)
    print(Verdict.HEADER, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, files, frames in inputs(folder, given.data, given.split, given.chains, given.longest):
            source = open_source(
                files[:1],
                files[1] if len(files) > 1 else None,
                ReadOptions(window=FrameWindow(frames=frames)),
            )
            output = folder / "out.pdb"
            started = time.perf_counter()
            md = MdOptions(hydrogens=True)
            backmap_trajectory(model, source, output, md=md, overwrite=True)
            built = time.perf_counter() - started
            print(judge(output, given.steps, given.ps).line(label, built), flush=True)


if __name__ == "__main__":
    main()
