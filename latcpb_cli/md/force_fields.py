"""Force fields and implicit solvents that OpenMM provides."""

from __future__ import annotations

from importlib.util import find_spec

from latcpb_cli.errors import UsageError

__all__ = ["FORCE_FIELDS", "MINIMIZATION_METRICS", "SOLVENTS", "require_openmm"]

FORCE_FIELDS = {
    "amber14": "amber14/protein.ff14SB.xml",
    "amber19": "amber19/protein.ff19SB.xml",
    "charmm36": "charmm36_2024.xml",
}
"""Parameter file of each force field."""
SOLVENTS: dict[str, tuple[str, ...]] = {"vacuum": (), "obc2": (), "gbn2": ("implicit/gbn2.xml",)}
"""Parameter files of each solvent; OBC2 is a force without a file (`latcpb_cli.md.solvent`)."""

MINIMIZATION_METRICS = ("not_minimized", "hands_changed", "cis_trans_changed", "minimize_ca_moved_max")
"""Columns of the report, for each minimised structure, whose ideal value is 0."""


def require_openmm() -> None:
    """Check that OpenMM is installed.

    Raises
    ------
    UsageError
        It is not.
    """
    if find_spec("openmm") is None:
        raise UsageError("hydrogens and minimisation need the package openmm", "pip install 'latcpb-cli[md]'")
