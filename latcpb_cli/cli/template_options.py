"""The options of ``latcpb backmap`` about templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Template", "TemplateMap", "TemplateOnlyDomains", "TemplateTolerance"]

_TEMPLATES = "Templates"

Template = Annotated[
    list[Path] | None,
    typer.Option(
        "--template",
        metavar="FILE",
        help="All-atom structure of a part or all of the protein (.pdb, .cif; may be given several times): "
        "its side chains and peptides count where the trace is like its own.",
        rich_help_panel=_TEMPLATES,
        show_default=False,
    ),
]
TemplateMap = Annotated[
    str | None,
    typer.Option(
        metavar="A=B,...",
        help="Chains of the input, and their chains in the templates; others use none. Default: by sequence.",
        rich_help_panel=_TEMPLATES,
        show_default=False,
    ),
]
TemplateOnlyDomains = Annotated[
    str | None,
    typer.Option(
        metavar="RANGES",
        help="Residues of the input that may use the templates, such as A:10-95,A:120-180.",
        rich_help_panel=_TEMPLATES,
        show_default=False,
    ),
]
TemplateTolerance = Annotated[
    float,
    typer.Option(
        metavar="Å",
        help="How far the trace may be from that of a template for half of the side chains to stay as they "
        "are there: 0.3 suits another structure of the protein, 3 the start of a short simulation or path.",
        rich_help_panel=_TEMPLATES,
    ),
]
