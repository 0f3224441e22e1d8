"""The options of ``latcpb backmap``: names, types and help texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latcpb_cli import choices
from latcpb_cli.chem import conventions

__all__ = [
    "BFactor", "Begin", "CaTolerance", "ChainEnds", "Coherence", "Cyclic", "Debug", "Device", "Disulfides",
    "DropRepeatedTimes", "End", "FailOn", "Force", "Format", "Frames", "KeepBackbone", "Mode", "Naming",
    "NoReport", "OnUnknown", "Output", "Overwrite", "Pbc", "Quiet", "Resume", "Samples", "Scale", "Scheduler",
    "Seed", "Selection", "Sequence", "Strict", "Stride", "Threads", "Top", "Topology", "Trajectories",
    "Verbose", "Weights", "Without", "Workers",
]  # fmt: skip

_INPUT, _FRAMES, _MODEL, _MESSAGES = "Input", "Frames", "Model and machine", "Messages"


Trajectories = Annotated[
    list[Path],
    typer.Argument(
        metavar="TRAJ...",
        help="Cα trajectory (.xtc .dcd .trr .nc .lammpstrj .mdcrd, with --top), or a structure (.pdb .gro "
        ".cif .gsd .h5 .data; models are frames). Several are read one after the other.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help=".pdb, .cif, .xtc, .dcd or .trr; a trajectory gets OUT.top.pdb beside it. A folder: every input "
        "is a structure of its own. Default: the name of TRAJ with .backmapped.xtc (.dcd, .trr, .pdb), in "
        "this folder.",
        show_default=False,
    ),
]
Samples = Annotated[int, typer.Option("--samples", "-n", min=1, help="Structures per frame.")]
Mode = Annotated[
    choices.Mode | None,
    typer.Option(
        help="One deterministic structure per frame (best); draws from the distribution by a fast solver "
        "(ensemble) or by every step of the diffusion (exact, slow). Default: best for one sample, "
        "ensemble for several.",
        show_default=False,
    ),
]
Seed = Annotated[str, typer.Option(metavar="N|random", help="'random' shows the number it uses.")]
Coherence = Annotated[
    float,
    typer.Option(
        min=0.0,
        metavar="Å",
        help="How far the shape of a chain changes before its side chains do: with 1, they jump less "
        "between frames that are alike; 0 builds each frame by itself.",
    ),
]
CaTolerance = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=1.0,
        metavar="Å",
        help="How far a Cα may move where the beads leave no room for good peptides.",
    ),
]
KeepBackbone = Annotated[
    bool,
    typer.Option(
        "--keep-backbone",
        help="Leave N, C, O and CB where the input has them, too, and build side chains on them.",
    ),
]
Disulfides = Annotated[
    choices.Disulfides,
    typer.Option(help="Join cysteines whose geometry is that of a disulfide, in each frame anew, or none."),
]
Naming = Annotated[
    conventions.Naming,
    typer.Option(help="Names of residues and atoms in PDB output and topologies: PDB 3, CHARMM36 or Amber."),
]
Topology = Annotated[
    choices.TopologyFormat,
    typer.Option(help="Topology beside a trajectory: OUT.top.pdb, or OUT.top.cif with room for any system."),
]
BFactor = Annotated[
    choices.BFactor | None,
    typer.Option(
        "--bfactor", show_default=False,
        help="B factors: 100 x the probability that what places an atom is right (confidence), or its spread "
        "over the samples in Å; in topologies their means. Default: spread in .pdb and .cif with samples.",
    ),
]  # fmt: skip
Without = Annotated[
    str | None,
    typer.Option(
        metavar="PART,...",
        help="Leave out parts beyond the paper's method: peptides, packing, rescoring, relief; or all.",
        show_default=False,
    ),
]
FailOn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME=LIMIT,...",
        help="Exit with code 6 where the worst frame of the report is over a limit, "
        "e.g. contact12=0,overlap04=10,pierced=0,d_residues=0.",
        show_default=False,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace output files that exist.")]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on where a run of the same command was interrupted; begin where none was.",
    ),
]
NoReport = Annotated[
    bool, typer.Option("--no-report", help="Leave out the clash report (OUT.report.json and .csv).")
]
Top = Annotated[
    Path | None,
    typer.Option("--top", "-s", help="Structure that names the beads of TRAJ.", rich_help_panel=_INPUT),
]
Selection = Annotated[
    str | None,
    typer.Option(help="Atoms to use, in the selection language of MDAnalysis.", rich_help_panel=_INPUT),
]
Pbc = Annotated[
    choices.PbcTreatment,
    typer.Option(help="Make chains whole that a periodic box cuts.", rich_help_panel=_INPUT),
]
Scale = Annotated[
    float,
    typer.Option(help="Multiply all lengths, e.g. by 10 for nm in a format of Å.", rich_help_panel=_INPUT),
]
Sequence = Annotated[
    str | None,
    typer.Option(
        metavar="FASTA",
        help="Sequences of all chains (a file, or letters), for beads without residue names.",
        rich_help_panel=_INPUT,
    ),
]
OnUnknown = Annotated[
    choices.UnknownResidues,
    typer.Option(
        help="Unknown residues: stop, leave them out, or read them as a relative (HYP as PRO).",
        rich_help_panel=_INPUT,
    ),
]
ChainEnds = Annotated[
    choices.ChainEnds,
    typer.Option(
        help="Where chains end: by identifiers, TER and numbers, corrected where Cα at bonding distance "
        "contradict them (geometry), or by these labels alone.",
        rich_help_panel=_INPUT,
    ),
]
Cyclic = Annotated[
    bool,
    typer.Option(
        "--cyclic",
        help="Join the last residue of a chain to its first by a peptide, where the two Cα are at bonding "
        "distance: head-to-tail cyclic peptides.",
        rich_help_panel=_INPUT,
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Accept beads that do not have the spacing of Cα.", rich_help_panel=_INPUT),
]
Format = Annotated[
    str | None,
    typer.Option(
        metavar="EXT",
        help="Format of TRAJ, such as xtc, where its suffix is missing or wrong.",
        rich_help_panel=_INPUT,
        show_default=False,
    ),
]
DropRepeatedTimes = Annotated[
    bool,
    typer.Option(
        "--drop-repeated-times",
        help="Keep the later one of frames with the same time, where parts of a restarted run overlap.",
        rich_help_panel=_FRAMES,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Stop at a frame with missing, exploded or collapsed coordinates, instead of writing what can "
        "be built of it (the rest at 0, 0, 0).",
        rich_help_panel=_FRAMES,
    ),
]
Begin = Annotated[
    float | None, typer.Option("--begin", "-b", metavar="PS", help="First time.", rich_help_panel=_FRAMES)
]
End = Annotated[
    float | None, typer.Option("--end", "-e", metavar="PS", help="Last time.", rich_help_panel=_FRAMES)
]
Stride = Annotated[int, typer.Option(min=1, help="Every n-th frame.", rich_help_panel=_FRAMES)]
Frames = Annotated[
    str | None,
    typer.Option(
        metavar="A:B:C", help="From A up to before B by steps of C, counted from 0.", rich_help_panel=_FRAMES
    ),
]
Weights = Annotated[
    str | None, typer.Option(help="Name or folder of a model.", rich_help_panel=_MODEL, show_default=False)
]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda[:N]", rich_help_panel=_MODEL)]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1, help="CPU threads. Default: OMP_NUM_THREADS, or all cores; one for up to 150 residues.",
        rich_help_panel=_MODEL, show_default=False,
    ),
]  # fmt: skip
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        metavar="N",
        help="Build in N processes, with one thread each unless --threads is given; 0: in this one. "
        "Default: one for each thread, where the run is long enough.",
        rich_help_panel=_MODEL,
        show_default=False,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Build on the workers of a Dask cluster, such as tcp://host:8786.",
        rich_help_panel=_MODEL,
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.", rich_help_panel=_MESSAGES)]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Details of the input.", rich_help_panel=_MESSAGES)
]
Debug = Annotated[
    bool, typer.Option("--debug", help="Tracebacks instead of one-line errors.", rich_help_panel=_MESSAGES)
]
