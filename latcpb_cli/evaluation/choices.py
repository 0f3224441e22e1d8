"""What an evaluation can be asked for; imported by the command line, so without heavy libraries."""

from __future__ import annotations

from typing import Literal

__all__ = ["Superpose"]

Superpose = Literal["none", "chain", "frame"]
"""What is superposed on the reference, over Cα: nothing, each chain for itself, or the whole frame."""
