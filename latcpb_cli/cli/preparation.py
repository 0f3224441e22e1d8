"""The options of ``latcpb backmap`` about hydrogens and minimisation, checked together."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from latcpb_cli import choices
from latcpb_cli.errors import UsageError
from latcpb_cli.md.force_fields import require_openmm
from latcpb_cli.options import MdOptions

__all__ = ["ForceField", "Hydrogens", "Minimize", "Ph", "Restraint", "Solvent", "md_options"]

_MD = r"Hydrogens and minimisation (pip install 'latcpb-cli\[md]')"

Hydrogens = Annotated[bool, typer.Option("--hydrogens", help="Write hydrogens, too.", rich_help_panel=_MD)]
Minimize = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, show_default=False, rich_help_panel=_MD,
        help="Minimise the energy by at most N steps, each Cα held by a spring.",
    ),
]  # fmt: skip
Ph = Annotated[
    float | None,
    typer.Option(
        "--ph", min=0.0, max=14.0, show_default=False, rich_help_panel=_MD,
        help="Decides on protonation; neutral His are HIE unless the input names another state. Default: 7.",
    ),
]  # fmt: skip
ForceField = Annotated[
    choices.ForceField | None,
    typer.Option(
        help="Amber ff14SB or ff19SB, or CHARMM36 (slow to load; knows phosphates). Default: amber14.",
        show_default=False, rich_help_panel=_MD,
    ),
]  # fmt: skip
Solvent = Annotated[
    choices.Solvent | None,
    typer.Option(
        help="Minimise in implicit solvent (OBC2; GBn2, six times slower on a CPU) or in vacuum, where "
        "charges pull side chains together. Default: obc2.",
        show_default=False, rich_help_panel=_MD,
    ),
]  # fmt: skip
Restraint = Annotated[
    float | None,
    typer.Option(
        metavar="K", min=0.0, show_default=False, rich_help_panel=_MD,
        help="Force constant of the springs, kJ/mol/nm². Default: 20000.",
    ),
]  # fmt: skip


def md_options(hydrogens: bool, minimize: int | None, details: dict[str, Any]) -> MdOptions | None:
    """Make `MdOptions` of flags; None where there is nothing to do.

    Parameters
    ----------
    hydrogens : bool
    minimize : int or None
    details : dict
        ``ph``, ``force_field``, ``solvent`` and ``restraint``, None where they are not given.

    Raises
    ------
    UsageError
        An option has no effect, or OpenMM is missing.
    """
    if not hydrogens and minimize is None:
        _refuse(details, ("ph", "force_field"), "without --hydrogens or --minimize")
    if minimize is None:
        _refuse(details, ("solvent", "restraint"), "without --minimize")
    if not hydrogens and minimize is None:
        return None
    require_openmm()
    given = {name: value for name, value in details.items() if value is not None}
    return MdOptions(hydrogens=hydrogens, minimize=minimize or 0, **given)


def _refuse(details: dict[str, Any], names: tuple[str, ...], why: str) -> None:
    for name in names:
        if details[name] is not None:
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} has no effect {why}", "leave it out, or add what it belongs to")
