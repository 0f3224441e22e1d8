"""What can be chosen by name, each list once, for the command line and for Python."""

from __future__ import annotations

from typing import Any, Literal, get_args

from latcpb_cli.errors import UsageError

__all__ = [
    "DEFAULT_REPO_ID", "PARTS", "TEMPLATE_TOLERANCE", "BFactor", "BeadKinds", "ChainEnds", "Disulfides",
    "ForceField", "Mode", "Part", "PbcTreatment", "SideChainCenter", "Solvent", "Superpose",
    "TopologyFormat", "UnknownResidues", "check_choice", "parse_parts",
]  # fmt: skip

Mode = Literal["best", "ensemble", "exact"]
"""One deterministic structure, draws by a fast solver, draws by all steps of equation 8."""
Disulfides = Literal["auto", "none"]
"""Whether cysteines in the geometry of a disulfide are joined, frame by frame."""
PbcTreatment = Literal["whole", "none"]
"""Whether chains that a periodic box cuts are made whole."""
UnknownResidues = Literal["error", "skip", "nearest"]
"""Refuse residues without a known name, leave them out, or read them as a relative."""
BeadKinds = Literal["auto", "ca", "com", "ca+sc"]
"""What the beads are: found out, Cα, centres of mass of residues, or Cα and centres of side chains."""
SideChainCenter = Literal["mass", "geometry"]
"""Which centre of the heavy atoms of a side chain its bead is."""
ChainEnds = Literal["geometry", "labels"]
"""Whether Cα distances, or the labels of the file alone, decide where chains end."""
TopologyFormat = Literal["pdb", "cif"]
"""Format of the file that names the atoms of a trajectory."""
ForceField = Literal["amber14", "amber19", "charmm36"]
Solvent = Literal["obc2", "gbn2", "vacuum"]
BFactor = Literal["confidence", "spread"]
"""What the B factors of an output are: 100 times a probability, or the spread over the samples in Å."""
Superpose = Literal["none", "chain", "frame"]
"""What is superposed on the reference before atoms are compared."""
Part = Literal["peptides", "packing", "rescoring", "relief"]
"""What goes beyond the paper's method, in the order in which it is applied."""
PARTS: tuple[Part, ...] = get_args(Part)
DEFAULT_REPO_ID = "latcpb/latcpb"
"""The Hub repository of the package, with one directory per model."""
TEMPLATE_TOLERANCE = 0.8
"""Å; between those that suit other structures of a protein and the start of a path."""


def check_choice(name: str, value: str | None, choices: Any) -> None:
    """Refuse a value that is not one of a ``Literal``.

    Raises
    ------
    UsageError
    """
    if value is not None and value not in get_args(choices):
        raise UsageError(f"{name} '{value}' is not known", f"choose from {', '.join(get_args(choices))}")


def parse_parts(text: str) -> tuple[Part, ...]:
    """Read ``packing,rescoring``, or ``all``.

    Raises
    ------
    UsageError
        A part is not known.
    """
    names = PARTS if text == "all" else tuple(part.strip() for part in text.split(","))
    for name in names:
        check_choice("--without", name, Part)
    return tuple(part for part in PARTS if part in names)
