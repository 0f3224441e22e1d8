"""Command-line options that several scripts share."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["measurement_parser"]

CHAIN_SETS = ("valid", "heldout")


def measurement_parser(
    description: str | None, default: str = "valid", sets: tuple[str, ...] = CHAIN_SETS
) -> argparse.ArgumentParser:
    """Create a parser with DATA, --weights and --set; the docstring of the script is its help."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of packed structures")
    parser.add_argument("--weights", help="name or folder of a model")
    parser.add_argument("--set", choices=sets, default=default, help="structures (%(default)s)")
    return parser
