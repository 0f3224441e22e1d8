"""The options of ``latcpb backmap`` about hydrogens and minimisation, checked together."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from latcpb_cli.errors import UsageError
from latcpb_cli.md.options import require_openmm
from latcpb_cli.options import MdOptions

__all__ = ["md_options"]


def md_options(
    *,
    hydrogens: bool,
    minimize: int | None,
    ph: float | None,
    force_field: StrEnum | None,
    solvent: StrEnum | None,
    restraint: float | None,
    naming: str,
) -> MdOptions | None:
    """Settle what OpenMM is to do; None for nothing.

    Raises
    ------
    UsageError
        Options that have no effect, or OpenMM is missing.
    """
    if not hydrogens and minimize is None:
        _refuse({"ph": ph, "force-field": force_field}, "without --hydrogens or --minimize")
    if minimize is None:
        _refuse({"solvent": solvent, "restraint": restraint}, "without --minimize")
    if not hydrogens and minimize is None:
        return None
    if hydrogens and naming == "charmm":
        raise UsageError(
            "--hydrogens are written with PDB names, not those of CHARMM",
            "leave one of --hydrogens and --naming charmm out; pdb2gmx and psfgen add hydrogens themselves",
        )
    require_openmm()
    given = {"ph": ph, "force_field": force_field, "solvent": solvent, "restraint": restraint}
    settled: dict[str, Any] = {
        name: getattr(value, "value", value) for name, value in given.items() if value is not None
    }
    return MdOptions(hydrogens=hydrogens, minimize=minimize or 0, **settled)


def _refuse(options: dict[str, object], why: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"--{name} has no effect {why}", "leave it out, or add what it belongs to")
