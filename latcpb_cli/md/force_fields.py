"""What is asked of a force field: hydrogens, minimisation, which files."""

from __future__ import annotations

from importlib.util import find_spec

from latcpb_cli.errors import UsageError

__all__ = ["EXTRA", "FORCE_FIELDS", "MINIMIZED", "SOLVENTS", "require_openmm"]

EXTRA = "latcpb-cli[md]"

FORCE_FIELDS = {
    "amber14": "amber14/protein.ff14SB.xml",
    "amber19": "amber19/protein.ff19SB.xml",
    "charmm36": "charmm36_2024.xml",
}
"""Files of OpenMM."""
SOLVENTS: dict[str, tuple[str, ...]] = {"vacuum": (), "obc2": (), "gbn2": ("implicit/gbn2.xml",)}
"""Files of OpenMM; OBC2 is a force of its own (`latcpb_cli.md.solvent`)."""

MINIMIZED = ("not_minimized", "hands_changed", "cis_trans_changed", "minimize_ca_moved_max")
"""What the report tells of each minimised frame that is better small."""


def require_openmm() -> None:
    """Refuse, before any work is done, what needs OpenMM where that is not installed.

    Raises
    ------
    UsageError
    """
    if find_spec("openmm") is None:
        raise UsageError("hydrogens and minimisation need the package openmm", f"pip install '{EXTRA}'")
