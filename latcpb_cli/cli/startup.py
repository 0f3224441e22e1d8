"""A quicker start of the command."""

from __future__ import annotations

__all__ = ["import_e3nn_quickly"]


def import_e3nn_quickly() -> None:
    """Import e3nn."""
    import latcpb_cli.model.equivariant  # noqa: F401
