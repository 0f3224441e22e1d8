"""Command-line options that several scripts share."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["measurement_parser"]


def measurement_parser(description: str | None, split: str = "valid") -> argparse.ArgumentParser:
    """Create a parser with DATA, --weights and --split; the docstring of the script is its help."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of packed structures")
    parser.add_argument("--weights", help="name or folder of a model")
    parser.add_argument("--split", default=split)
    return parser
