"""How widely side chains move over the frames of an ensemble: the natives', and ours on the same Cα.

    python benchmarks/diversity.py DATA [--weights DIR] [--mode best] [--coherence Å,Å] [--ensembles ID,ID]

One structure per frame, for each coherence; samples, unless --mode best is asked for. Every residue is laid
on its own N, CA and C, and the side-chain atoms of each two frames are compared, symmetric groups in their
better position; buried residues have more than BURIED other Cα within 10 Å. RotamerJumps are the share of χ1 that
are in another rotamer in the next of these frames; error is the RMSD of side chains from the natives',
nothing superposed. Last, how ours compare with the natives: the geometric mean of the ratios, the factor by
which they scatter about it, and how many of them are within 10 %.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from arguments import measurement_parser
from chains import rebuild, whole_trajectory

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.metrics.accuracy import ATOM_SETS, inner_residues, rmsd, squared_deviation
from latcpb_cli.metrics.jumps import RotamerJumps
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions
from latcpb_cli.structure import AtomStructure

BURIED, NEAR = 16, 10.0
SIDE = slice(5, 14)
CHI1 = TORSION_NAMES.index("chi1")


def local(atoms: np.ndarray) -> np.ndarray:
    """Atoms (F, L, 15, 3) as seen from N, CA and C of their residue."""
    n, ca, c = (atoms[:, :, slot].astype(np.float64) for slot in range(3))
    first = (c - ca) / np.linalg.norm(c - ca, axis=-1, keepdims=True)
    second = (n - ca) - ((n - ca) * first).sum(-1, keepdims=True) * first
    second /= np.linalg.norm(second, axis=-1, keepdims=True)
    axes = np.stack([first, second, np.cross(first, second)], axis=-1)
    return (atoms - ca[:, :, None]) @ axes


def spread(types: np.ndarray, atoms: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Mean over pairs of frames of the side chain's RMSD between them, Å, (L,); NaN without a side chain."""
    own, side = local(atoms), present.copy()
    side[:, : SIDE.start], side[:, SIDE.stop :] = False, False
    one, two = np.triu_indices(len(atoms), 1)
    squares = squared_deviation(types, own[one], own[two], side).sum(-1)
    with np.errstate(invalid="ignore"):
        return np.sqrt(squares / side.sum(-1)).mean(0)


def jumps(structure: AtomStructure, inner: np.ndarray) -> float:
    """Share (%) of χ1 that turn by more than 60° from frame to frame."""
    found = RotamerJumps()
    angles = measure_torsions(
        structure.trace.residue_types, structure.atoms, structure.present, structure.linked()
    )
    found.add(angles[:, None, inner, CHI1])
    return found.count.percent or 0.0


def error(native: AtomStructure, ours: AtomStructure, inner: np.ndarray) -> float:
    """RMSD (Å) of side chains, the mean over frames."""
    present = native.present
    squares = squared_deviation(native.trace.residue_types, native.atoms, ours.atoms, present)
    rows = np.broadcast_to(inner, squares.shape[:2])
    return float(np.nanmean(rmsd(squares, present, rows, ATOM_SETS["side_chain"])))


def buried(ca: np.ndarray) -> np.ndarray:
    """Residues with many Cα around them on the average of frames (F, L, 3): bool, (L,)."""
    far = np.linalg.norm(ca[:, :, None] - ca[:, None], axis=-1)
    return (far < NEAR).sum(-1).mean(0) - 1 > BURIED


def main() -> None:
    parser = measurement_parser(__doc__)
    parser.add_argument("--mode", choices=["ensemble", "best"], default="ensemble")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--ensembles", type=lambda text: text.split(","), help="default: those of the split")
    parser.add_argument("--coherence", default="0,1.5", metavar="Å,Å")
    options = parser.parse_args()
    coherences = [float(each) for each in options.coherence.split(",")]
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    whose = ["natives", *(f"{each:g} Å" for each in coherences)]
    heads = [f"{part} {who}" for part in ("buried", "exposed", "jumps") for who in whose]
    heads += [f"error {who}" for who in whose[1:]]
    print(f"{'ensemble':24s}" + "".join(f"{head:>17s}" for head in heads))
    table = []
    for name in options.ensembles or of_split(options.data, options.split):
        native, chunk = whole_trajectory(options.data, name, options.frames)
        ours = [rebuild(model, native, chunk, options.mode, coherence) for coherence in coherences]
        inner = inner_residues(native.linked()[:1])[0]
        deep = buried(native.atoms[:, :, 1])
        wide = [spread(each.trace.residue_types, each.atoms, native.present) for each in (native, *ours)]
        figures = [
            np.nanmean(one[inner & part]) if (inner & part).any() else np.nan
            for part in (deep, ~deep)
            for one in wide
        ]
        figures += [jumps(each, inner) for each in (native, *ours)]
        figures += [error(native, each, inner) for each in ours]
        print(f"{name:24s}" + "".join(f"{figure:17.2f}" for figure in figures), flush=True)
        table.append(figures)
    columns = dict(zip(heads, np.array(table).T, strict=True))
    for part in ("buried", "exposed"):
        for who in whose[1:]:
            ratios = columns[f"{part} {who}"] / columns[f"{part} natives"]
            print(f"{part} {who} / natives: {compared(ratios)}")
    for who in whose[1:]:
        print(f"error {who}: {columns[f'error {who}'].mean():.3f} Å")


def compared(ratios: np.ndarray) -> str:
    """What ratios to the natives come to; NaN for proteins without such residues."""
    logs = np.log(ratios[np.isfinite(ratios)])
    near = int((np.abs(np.exp(logs) - 1) <= 0.1).sum())
    return f"{np.exp(logs.mean()):.2f} x/ {np.exp(logs.std()):.2f}, {near} of {len(logs)} within 10 %"


def of_split(data: Path, split: str) -> list[str]:
    with (data / "ensembles" / "ensembles.tsv").open() as file:
        return [row["id"] for row in csv.DictReader(file, delimiter="\t") if row["split"] == split]


if __name__ == "__main__":
    main()
