"""The options of ``latcpb evaluate``: names, types and help texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latcpb_cli import choices

__all__ = [
    "BeadKinds", "Beads", "BeadsTop", "Checks", "ComResidues", "Csv", "Explain", "FailOn", "Files", "GenTop",
    "Json", "Names", "Overwrite", "RefTop", "Report", "Samples", "ScBead", "ScCenter", "Selection",
    "Superpose",
]  # fmt: skip

_INPUT, _OUTPUT, _BEADS = "Input", "Output", "Beads"

Files = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[REF] GEN",
        help="The all-atom reference, then one structure or trajectory (PDB, mmCIF, GRO, XTC, TRR, DCD, ...) "
        "for each method; a single one is measured without a reference. Of folders, files of one name "
        "belong together.",
        show_default=False,
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Option("--name", help="Name of a method; once for each GEN, in their order.", show_default=False),
]
RefTop = Annotated[
    Path | None,
    typer.Option(help="Topology of the reference, if that is a trajectory.", rich_help_panel=_INPUT),
]
GenTop = Annotated[
    list[Path] | None,
    typer.Option(
        help="Topology of trajectories of GEN; once, or once for each.", rich_help_panel=_INPUT,
        show_default=False,
    ),
]  # fmt: skip
Samples = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Models of GEN for each frame of REF, the samples of a frame in a row. Without it, files with "
        "other numbers of frames are compared by their distributions alone.",
        show_default=False,
        rich_help_panel=_INPUT,
    ),
]
Selection = Annotated[
    str | None,
    typer.Option(
        "--select",
        help="Atoms to use, in the selection language of MDAnalysis.",
        rich_help_panel=_INPUT,
        show_default=False,
    ),
]
Beads = Annotated[
    Path | None,
    typer.Option(
        "--beads",
        metavar="CG_FILE",
        help="Coarse-grained structure or trajectory that GEN was built from: how far beads that are "
        "recomputed from the atoms are from its own.",
        rich_help_panel=_BEADS,
        show_default=False,
    ),
]
BeadsTop = Annotated[
    Path | None,
    typer.Option(
        "--beads-top",
        help="Structure that names the beads of a trajectory.",
        rich_help_panel=_BEADS,
        show_default=False,
    ),
]
BeadKinds = Annotated[
    choices.BeadKinds,
    typer.Option(
        "--bead-kinds", help="What the beads are, as --beads of latcpb backmap.", rich_help_panel=_BEADS
    ),
]
ComResidues = Annotated[
    str | None,
    typer.Option(
        "--com-residues",
        metavar="RANGES",
        help="Residues whose beads are centres of mass; all others are Cα.",
        rich_help_panel=_BEADS,
        show_default=False,
    ),
]
ScBead = Annotated[
    str | None,
    typer.Option(
        "--sc-bead",
        metavar="NAME",
        help="With --bead-kinds ca+sc, the atom name of the centres of side chains.",
        rich_help_panel=_BEADS,
        show_default=False,
    ),
]
ScCenter = Annotated[
    choices.SideChainCenter,
    typer.Option("--sc-center", help="Which centre of a side chain its bead is.", rich_help_panel=_BEADS),
]
Superpose = Annotated[
    choices.Superpose,
    typer.Option(help="Superpose each chain, or each frame, on the reference (over Cα) before distances."),
]
Checks = Annotated[
    bool, typer.Option("--checks", help="Show which checks of a sound structure pass, and which fail.")
]
FailOn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME=LIMIT,...",
        help="Exit with code 6 where a figure of a method is worse than its limit, e.g. "
        "failed_checks=0,d_residues=0,rmsd.all_heavy=1.5.",
        show_default=False,
    ),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Print the definition of each figure, with its source.")
]
Json = Annotated[
    Path | None,
    typer.Option("--json", help="Write every figure to this file as JSON.", rich_help_panel=_OUTPUT),
]
Csv = Annotated[
    str | None,
    typer.Option(
        "--csv",
        metavar="PREFIX",
        help="Write PREFIX.frames.csv, .residues.csv, .residue_types.csv and .chains.csv.",
        show_default=False,
        rich_help_panel=_OUTPUT,
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        help="Write a page with tables, plots and a 3D view to this file; it needs no network.",
        show_default=False,
        rich_help_panel=_OUTPUT,
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace output files that exist.", rich_help_panel=_OUTPUT)
]
