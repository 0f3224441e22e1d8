"""Folded domains and a linker from a CALVADOS 3 trajectory: how far domains are from the structure they had.

    python benchmarks/domains.py                 examples/tnc_pair.xtc, whole and wrapped into its box
    python benchmarks/domains.py --frames 5      every fourth of its frames

Kinds of beads are found by latcpb. Each domain is superposed on the first model of examples/tnc_allatom.pdb
by its backbone N, CA, C and O. `bead_noise` is how far its beads are from the centres of mass of that model,
per axis, after superposition. The others are those of the report, over all residues; `linker_ca_off` is
the most that a Cα outside domains is from its bead (Å). The figures are printed as JSON.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from MDAnalysis import Universe
from MDAnalysis.analysis.rms import rmsd
from MDAnalysis.coordinates.memory import MemoryReader

from latcpb_cli import Backmapped, Backmapper
from latcpb_cli.run.prepared_run import PreparedRun

EXAMPLES = Path(__file__).parents[1] / "examples"
DOMAINS = ((5, 85), (124, 204))
"""First and last residues whose beads are centres of mass."""
BOX = 200.0
"""Edge (Å) of the box of the simulation."""
COUNTS = ("peptide_bonds", "d_residues", "cis_non_proline", "pierced_rings", "overlap04_per_1000")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", help="name or folder of a model")
    parser.add_argument("--frames", type=int, default=20, help="(%(default)s)")
    options = parser.parse_args()
    beads = Universe(str(EXAMPLES / "tnc_pair.pdb"), str(EXAMPLES / "tnc_pair.xtc"), to_guess=())
    every = max(1, len(beads.trajectory) // options.frames)
    positions = np.array([frame.positions.copy() for frame in beads.trajectory[::every]])
    native = Universe(str(EXAMPLES / "tnc_allatom.pdb"))
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    wrapped = (positions + 0.5 * BOX) % BOX
    cases = {"whole": positions, "wrapped": wrapped}
    print(json.dumps({name: measure(model, native, given) for name, given in cases.items()}, indent=1))


def measure(model: Backmapper, native: Universe, positions: np.ndarray) -> dict[str, object]:
    """Build all frames, and compare their domains with the native."""
    given = Universe(str(EXAMPLES / "tnc_pair.pdb"), to_guess=())
    given.load_new(positions, format=MemoryReader, dimensions=[BOX, BOX, BOX, 90, 90, 90])
    result = model.backmap(given)
    expected = np.zeros(given.residues.n_residues, dtype=bool)
    for first, last in DOMAINS:
        expected[first - 1 : last] = True
    found = result.run.source.trace.com_beads
    off = [domain_rmsd(result.universe, native, domain) for domain in DOMAINS]
    rows = result.report.frames
    return {
        "kinds_right_percent": round(100.0 * float(np.mean(found == expected)), 2),
        "domain_rmsd": [round(float(np.mean(values)), 3) for values in off],
        "domain_rmsd_max": [round(float(np.max(values)), 3) for values in off],
        "bead_noise": [round(bead_noise(result.run, native, domain), 3) for domain in DOMAINS],
        "linker_ca_off": round(linker_off(result, ~expected), 4),
        "com_distance_mean": round(float(np.mean([row["com_distance_mean"] for row in rows])), 3),
    } | {name: round(float(np.mean([row[name] for row in rows])), 3) for name in COUNTS}


def domain_rmsd(built: Universe, native: Universe, domain: tuple[int, int]) -> list[float]:
    """Backbone RMSD (Å) of a domain from the native, in each frame, after superposition."""
    first, last = domain
    shift = first - DOMAINS[0][0]
    mobile = built.select_atoms(f"name N CA C O and resid {first}:{last}")
    target = native.select_atoms(f"name N CA C O and resid {first - shift}:{last - shift}")
    return [rmsd(mobile.positions, target.positions, superposition=True) for _ in built.trajectory]


def bead_noise(run: PreparedRun, native: Universe, domain: tuple[int, int]) -> float:
    """Deviation (Å per axis) of the beads of a domain from the native's centres of mass."""
    first, last = domain
    start = DOMAINS[0][0]
    residues = native.select_atoms(f"resid {start}:{start + last - first}").residues
    target = np.array([residue.atoms.center_of_mass() for residue in residues])
    frames = np.concatenate([chunk.positions for chunk in run.source.chunks(8)])
    squares = [rmsd(frame[first - 1 : last], target, superposition=True) ** 2 for frame in frames]
    return float(np.sqrt(np.mean(squares) / 3.0))


def linker_off(result: Backmapped, is_ca: np.ndarray) -> float:
    """Largest distance (Å) of a Cα from the bead that it is."""
    ca = result.universe.select_atoms("name CA")
    frames = np.concatenate([chunk.positions for chunk in result.run.source.chunks(8)])
    steps = [
        ca.positions[is_ca] - frame[is_ca]
        for _, frame in zip(result.universe.trajectory, frames, strict=True)
    ]
    return float(np.linalg.norm(steps, axis=-1).max())


if __name__ == "__main__":
    main()
