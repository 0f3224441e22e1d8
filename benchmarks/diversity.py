"""Variation of side chains over the frames of an ensemble: of the natives, and of latcpb on the same Cα.

    python benchmarks/diversity.py DATA [--weights DIR] [--mode best] [--coherence Å,Å] [--ensembles ID,ID]

One structure per frame, for each coherence, in mode ensemble or best. Every residue is superposed on its own
N, CA and C, and the side-chain atoms of each two frames are compared, with symmetric groups in their better
orientation; buried residues have more than MAX_EXPOSED other Cα within 10 Å. Jumps are the percentage of χ1
that are in another rotamer in the next of these frames; error is the RMSD of side chains from the natives',
without superposition. Last, the ratios of latcpb's variation to the natives': their geometric mean, the
factor by which they scatter about it, and how many of them are within 10 %.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from arguments import measurement_parser
from chains import rebuild, whole_trajectory
from local_frames import local_coordinates

from latcpb_cli.chem.residues import CA_SLOT, GAMMA_SLOT, OXT_SLOT
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.accuracy import ATOM_SETS, inner_residues, rmsd, squared_deviation
from latcpb_cli.metrics.jumps import RotamerJumps
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import AtomStructure

__all__ = ["is_buried", "pairwise_deviation"]

MAX_EXPOSED, CONTACT_DISTANCE = 16, 10.0  # other Cα, Å
CHI1 = TORSION_NAMES.index("chi1")


def pairwise_deviation(types: np.ndarray, atoms: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Mean RMSD (Å) of each side chain between pairs of frames, (L,); NaN without a side chain."""
    local, side_chain = local_coordinates(atoms), present.copy()
    side_chain[:, :GAMMA_SLOT], side_chain[:, OXT_SLOT:] = False, False
    one, two = np.triu_indices(len(atoms), 1)
    squares = squared_deviation(types, local[one], local[two], side_chain).sum(-1)
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.sqrt(squares / side_chain.sum(-1)).mean(0)
    return mean


def jump_percentage(structure: AtomStructure, inner: np.ndarray) -> float:
    """Percentage of χ1 of inner residues that turn by more than 60° from frame to frame."""
    jumps = RotamerJumps()
    types, linked = structure.trace.residue_types, structure.linked()
    torsions = measure_torsions(types, structure.atoms, structure.present, linked)
    jumps.add(torsions[:, None, inner, CHI1])
    return jumps.count.percent or 0.0


def side_chain_error(native: AtomStructure, built: AtomStructure, inner: np.ndarray) -> float:
    """RMSD (Å) of side chains of inner residues, as the mean over frames."""
    present = native.present
    squares = squared_deviation(native.trace.residue_types, native.atoms, built.atoms, present)
    rows = np.broadcast_to(inner, squares.shape[:2])
    return float(np.nanmean(rmsd(squares, present, rows, ATOM_SETS["side_chain"])))


def is_buried(ca: np.ndarray) -> np.ndarray:
    """Residues with many Cα around them on the average of frames (F, L, 3): bool, (L,)."""
    distance = np.linalg.norm(ca[:, :, None] - ca[:, None], axis=-1)
    buried: np.ndarray = (distance < CONTACT_DISTANCE).sum(-1).mean(0) - 1 > MAX_EXPOSED
    return buried


def measure_ensemble(native: AtomStructure, built: list[AtomStructure]) -> list[float]:
    """Figures of one ensemble, in the order of `headers`."""
    inner = inner_residues(native.linked()[:1])[0]
    buried = is_buried(native.atoms[:, :, CA_SLOT])
    structures, types = [native, *built], native.trace.residue_types
    deviations = [pairwise_deviation(types, each.atoms, native.present) for each in structures]
    figures = [
        float(np.nanmean(deviation[inner & part])) if (inner & part).any() else np.nan
        for part in (buried, ~buried)
        for deviation in deviations
    ]
    figures += [jump_percentage(each, inner) for each in structures]
    return [*figures, *(side_chain_error(native, each, inner) for each in built)]


def headers(columns: list[str]) -> list[str]:
    """Names of all figures; the first column is that of the natives."""
    names = [f"{figure} {column}" for figure in ("buried", "exposed", "jumps") for column in columns]
    return [*names, *(f"error {column}" for column in columns[1:])]


def parse_options() -> argparse.Namespace:
    parser = measurement_parser(__doc__, sets=("valid", "train"))
    parser.add_argument("--mode", choices=["ensemble", "best"], default="ensemble")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--ensembles", type=lambda text: text.split(","), help="default: those of the set")
    parser.add_argument("--coherence", default="0,1.5", metavar="Å,Å")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    coherences = [float(part) for part in options.coherence.split(",")]
    settings = [BackmapOptions(mode=options.mode, coherence=coherence) for coherence in coherences]
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    columns = ["natives", *(f"{coherence:g} Å" for coherence in coherences)]
    print(f"{'ensemble':24s}" + "".join(f"{header:>17s}" for header in headers(columns)))
    table = []
    for name in options.ensembles or ensembles_of_set(options.data, options.set):
        native, chunk = whole_trajectory(options.data, name, options.frames)
        figures = measure_ensemble(native, [rebuild(backmapper, native, chunk, each) for each in settings])
        print(f"{name:24s}" + "".join(f"{figure:17.2f}" for figure in figures), flush=True)
        table.append(figures)
    print_summary(columns, dict(zip(headers(columns), np.array(table).T, strict=True)))


def print_summary(columns: list[str], figures: dict[str, np.ndarray]) -> None:
    """Print ratios to the natives, and errors, over all ensembles."""
    for part in ("buried", "exposed"):
        for column in columns[1:]:
            ratios = figures[f"{part} {column}"] / figures[f"{part} natives"]
            print(f"{part} {column} / natives: {summarize(ratios)}")
    for column in columns[1:]:
        print(f"error {column}: {figures[f'error {column}'].mean():.3f} Å")


def summarize(ratios: np.ndarray) -> str:
    """Geometric mean and scatter of ratios to the natives; NaN for proteins without such residues."""
    logs = np.log(ratios[np.isfinite(ratios)])
    near = int((np.abs(np.exp(logs) - 1) <= 0.1).sum())
    return f"{np.exp(logs.mean()):.2f} x/ {np.exp(logs.std()):.2f}, {near} of {len(logs)} within 10 %"


def ensembles_of_set(data: Path, name: str) -> list[str]:
    with (data / "ensembles" / "ensembles.tsv").open() as file:
        return [row["id"] for row in csv.DictReader(file, delimiter="\t") if row["split"] == name]


if __name__ == "__main__":
    main()
