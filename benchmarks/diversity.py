"""How widely side chains move over the frames of an ensemble: the natives', and ours on the same Cα.

    python benchmarks/diversity.py DATA [--weights DIR] [--frames 12] [--ensembles ID,ID] [--coherence Å,Å]

One sample per frame in ensemble mode, for each coherence. Every residue is laid on its own N, CA and C, and
the side-chain atoms of each two frames are compared, symmetric groups in their better position; buried
residues have more than BURIED other Cα within 10 Å. Jumps are the share of χ1 that are in another rotamer in
the next of these frames.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from arguments import measurement_parser
from chains import rebuild, reference_frames

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.metrics.accuracy import inner_residues, squared_deviation
from latcpb_cli.metrics.jumps import Jumps
from latcpb_cli.metrics.torsions import TORSION_NAMES, torsions
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


def jumps(frames: list[AtomStructure], inner: np.ndarray) -> float:
    """Share (%) of χ1 that turn by more than 60° from frame to frame."""
    types, present, linked = frames[0].trace.residue_types, frames[0].present, frames[0].linked()
    found = Jumps()
    found.add(torsions(types, joined(frames), present, linked)[:, None, inner, CHI1])
    return found.count.percent or 0.0


def buried(ca: np.ndarray) -> np.ndarray:
    """Residues with many Cα around them on the average of frames (F, L, 3): bool, (L,)."""
    far = np.linalg.norm(ca[:, :, None] - ca[:, None], axis=-1)
    return (far < NEAR).sum(-1).mean(0) - 1 > BURIED


def joined(frames: list[AtomStructure]) -> np.ndarray:
    return np.concatenate([frame.atoms for frame in frames])


def main() -> None:
    parser = measurement_parser(__doc__)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--ensembles", type=lambda text: text.split(","), help="default: those of the split")
    parser.add_argument("--coherence", default="0,1.5", metavar="Å,Å")
    options = parser.parse_args()
    coherences = [float(each) for each in options.coherence.split(",")]
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    whose = ["natives", *(f"{each:g} Å" for each in coherences)]
    heads = [[f"{part} {who}" for who in whose] for part in ("buried", "exposed", "jumps")]
    print(f"{'ensemble':24s}" + "".join(f"{head:>17s}" for part in heads for head in part))
    for name in options.ensembles or of_split(options.data, options.split):
        native: list[AtomStructure] = []
        ours: list[list[AtomStructure]] = [[] for _ in coherences]
        for _, reference, chunk in reference_frames(options.data, name, options.frames):
            native.append(reference)
            for drawn, coherence in zip(ours, coherences, strict=True):
                drawn.append(rebuild(model, reference, chunk, "ensemble", coherence))
        types, present = native[0].trace.residue_types, native[0].present
        inner = inner_residues(native[0].linked())[0]
        wide = [spread(types, joined(each), present) for each in (native, *ours)]
        deep = buried(joined(native)[:, :, 1])
        figures = [
            np.nanmean(one[inner & part]) if (inner & part).any() else np.nan
            for part in (deep, ~deep)
            for one in wide
        ]
        figures += [jumps(each, inner) for each in (native, *ours)]
        print(f"{name:24s}" + "".join(f"{figure:17.2f}" for figure in figures), flush=True)


def of_split(data: Path, split: str) -> list[str]:
    with (data / "ensembles" / "ensembles.tsv").open() as file:
        return [row["id"] for row in csv.DictReader(file, delimiter="\t") if row["split"] == split]


if __name__ == "__main__":
    main()
