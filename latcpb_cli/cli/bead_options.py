"""The options that say which atoms of an input are beads, and of which kind."""

from __future__ import annotations

from typing import Annotated

import typer

from latcpb_cli import choices

__all__ = ["Bead", "Beads", "ComResidues", "ScBead", "ScCenter"]

_INPUT = "Input"

Bead = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Atom name of the beads at the Cα. Default: CA, CAlpha, BB, or the only atom of each residue.",
        rich_help_panel=_INPUT,
        show_default=False,
    ),
]
Beads = Annotated[
    choices.BeadKinds,
    typer.Option(
        help="What the beads are: Cα, centres of mass of the heavy atoms of residues, or Cα and centres of "
        "side chains. auto: Cα, and centres of mass in stretches whose distances are those of such centres.",
        rich_help_panel=_INPUT,
    ),
]
ComResidues = Annotated[
    str | None,
    typer.Option(
        metavar="RANGES",
        help="Residues whose beads are centres of mass, such as A:10-95,A:120-180 (CALVADOS 3: the folded "
        "domains); all others are Cα.",
        rich_help_panel=_INPUT,
        show_default=False,
    ),
]
ScBead = Annotated[
    str | None,
    typer.Option(
        "--sc-bead",
        metavar="NAME",
        help="With --beads ca+sc, the atom name of the centres of side chains. Default: SC, SCM, CMA, CEN, "
        "or the only atom of a residue beside its Cα.",
        rich_help_panel=_INPUT,
        show_default=False,
    ),
]
ScCenter = Annotated[
    choices.SideChainCenter,
    typer.Option(
        "--sc-center",
        help="With --beads ca+sc, which centre of the heavy atoms of a side chain its bead is.",
        rich_help_panel=_INPUT,
    ),
]
