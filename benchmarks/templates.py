"""Side chains and backbones with a template: the first frame of an ensemble, for all others, in best mode.

    python benchmarks/templates.py DATA [--weights DIR] [--set train] [--frames 12] [--ensembles ID,ID]
                                        [--template-tolerance 3]

By default the folded ensembles of the set. Errors are RMSD (Å) from the natives without superposition, means
over frames: of side chains without and with the template, and of the side chains of the template put on the
native backbones (copied) and on those built with it (here), and of the natives' own there (natives'); of
backbones without and with. Jumps are the percentage of χ1 in another rotamer in the next frame: of natives,
without and with. Overlaps (0.4 Å or more, per 1,000 atoms), and residues of the wrong hand with broken C-N,
are those without and with. Last is the error on the template itself.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from arguments import measurement_parser
from chains import rebuild, whole_trajectory
from diversity import jump_percentage, side_chain_error

from latcpb_cli.chem.residues import GAMMA_SLOT, OXT_SLOT
from latcpb_cli.choices import TEMPLATE_TOLERANCE
from latcpb_cli.geometry.codec import encode, place_side_chains
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.accuracy import ATOM_SETS, inner_residues, rmsd, squared_deviation
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.metrics.defects import frame_defects
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import AtomStructure, AtomTopology, FrameChunk
from latcpb_cli.templates.template import Template

FOLDED = ("MD-folded", "XRAY-ensemble")
SMALL_FOLDED = ("trpzip2_tz2", "trpzip2_tz2_explicit")
COLUMNS = (
    "error", "with", "ratio", "copied", "here", "natives'", "backbone", "with", "jumps", "without", "with",
    "overlaps", "with", "defects", "with", "itself",
)  # fmt: skip


def select_frames(
    structure: AtomStructure, chunk: FrameChunk, rows: slice
) -> tuple[AtomStructure, FrameChunk]:
    """Some frames of a trajectory."""
    part = FrameChunk(chunk.positions[rows], chunk.times[rows], chunk.boxes[rows], chunk.indices[rows])
    return replace(structure, atoms=structure.atoms[rows]), part


def placed_error(
    native: AtomStructure, source: AtomStructure, backbones: AtomStructure, inner: np.ndarray
) -> float:
    """Error of the side chains of one frame, or of as many as there are, on other backbones."""
    types, present = torch.from_numpy(native.trace.residue_types), torch.from_numpy(native.present)
    placed = backbones.atoms.copy()
    given = np.broadcast_to(source.atoms, placed.shape)
    for frame, atoms in zip(placed, given, strict=True):
        internal, _ = encode(
            torch.from_numpy(atoms.copy()), present, types, torch.from_numpy(source.linked()[0])
        )
        slots = place_side_chains(list(torch.from_numpy(frame[:, :GAMMA_SLOT]).unbind(1)), internal, types)
        frame[:, GAMMA_SLOT:OXT_SLOT] = torch.stack(slots[GAMMA_SLOT:OXT_SLOT], dim=1).numpy()
    return side_chain_error(native, replace(native, atoms=placed), inner)


def backbone_error(native: AtomStructure, built: AtomStructure, inner: np.ndarray) -> float:
    """RMSD (Å) of backbones of inner residues, as the mean over frames."""
    squares = squared_deviation(native.trace.residue_types, native.atoms, built.atoms, native.present)
    rows = np.broadcast_to(inner, squares.shape[:2])
    return float(np.nanmean(rmsd(squares, native.present, rows, ATOM_SETS["backbone"])))


def overlaps_and_defects(built: AtomStructure) -> tuple[float, float]:
    """Overlaps per 1,000 atoms, and residues of the wrong hand and broken C-N per frame."""
    trace, linked = built.trace, built.linked()
    present = AtomTopology.heavy_atoms(trace).present
    atoms = np.where(present[:, :, None], built.atoms, 0.0)
    clashes = list(frame_clashes(trace.residue_kinds, atoms, present, linked))
    defects = list(frame_defects(trace, atoms, present, linked))
    wrong = [row["d_residues"] + row["peptide_bonds"] for row in defects]
    return float(np.mean([each.overlap04_per_1000 for each in clashes])), float(np.mean(wrong))


def measure_ensemble(backmapper: LoadedModel, name: str, settings: argparse.Namespace) -> list[float]:
    """Figures of one ensemble, in the order of `COLUMNS`."""
    whole, chunk = whole_trajectory(settings.data, name, settings.frames)
    (first, first_chunk), (native, others) = (
        select_frames(whole, chunk, rows) for rows in (slice(1), slice(1, None))
    )
    template = Template.from_atoms(
        whole.trace, first.atoms[0], first.present, first.linked()[0], settings.template_tolerance
    )
    inner, options = inner_residues(first.linked())[0], BackmapOptions(mode="best")
    built = [rebuild(backmapper, native, others, options, each) for each in ((), (template,))]
    itself = rebuild(backmapper, first, first_chunk, options, (template,))
    errors = [side_chain_error(native, each, inner) for each in built]
    figures = [*errors, errors[1] / errors[0], placed_error(native, first, native, inner)]
    figures += [placed_error(native, each, built[1], inner) for each in (first, native)]
    figures += [backbone_error(native, each, inner) for each in built]
    figures += [jump_percentage(each, inner) for each in (native, *built)]
    counts = [overlaps_and_defects(each) for each in built]
    return [
        *figures,
        *(x for pair in zip(*counts, strict=True) for x in pair),
        side_chain_error(first, itself, inner),
    ]


def folded_ensembles(data: Path, name: str) -> list[str]:
    with (data / "ensembles" / "ensembles.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["split"] == name]
    return [row["id"] for row in rows if row["kind"] in FOLDED or row["id"] in SMALL_FOLDED]


def parse_options() -> argparse.Namespace:
    parser = measurement_parser(__doc__, sets=("valid", "train"))
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--ensembles", type=lambda text: text.split(","), help="default: those of the set")
    parser.add_argument(
        "--template-tolerance", type=float, default=TEMPLATE_TOLERANCE, metavar="Å", help="(%(default)s)"
    )
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    print(f"{'ensemble':24s}" + "".join(f"{column:>10s}" for column in COLUMNS))
    for name in options.ensembles or folded_ensembles(options.data, options.set):
        figures = measure_ensemble(backmapper, name, options)
        print(f"{name:24s}" + "".join(f"{figure:10.2f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
