"""Constants of the format of packed structures; see ``train/README.md``."""

from __future__ import annotations

__all__ = ["BREAK", "COMPLETE", "COORDINATES_PER_ANGSTROM", "MODIFIED", "WRONG_CHIRALITY"]

COMPLETE, BREAK, MODIFIED, WRONG_CHIRALITY = 1, 2, 4, 64
"""Bits of the flags of a residue: all backbone atoms are present; no peptide leads to the next residue; the
residue is modified and stored as its parent; the hand at Cα is wrong."""
COORDINATES_PER_ANGSTROM = 100.0
"""Coordinates are stored as integers in units of 0.01 Å."""
