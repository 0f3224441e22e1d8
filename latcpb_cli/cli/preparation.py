"""The options of ``latcpb backmap`` about hydrogens and minimisation, checked together."""

from __future__ import annotations

from typing import Any

from latcpb_cli.errors import UsageError
from latcpb_cli.md.force_fields import require_openmm
from latcpb_cli.options import MdOptions

__all__ = ["md_options"]


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
