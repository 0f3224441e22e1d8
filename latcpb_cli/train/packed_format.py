"""Constants of the formats of packed structures and backbones; see ``train/README.md``."""

from __future__ import annotations

__all__ = [
    "BREAK",
    "COMPLETE",
    "COORDINATES_PER_ANGSTROM",
    "DOUBTFUL",
    "INTERFACE",
    "MODIFIED",
    "WRONG_CHIRALITY",
]

COMPLETE, BREAK, MODIFIED, WRONG_CHIRALITY, INTERFACE = 1, 2, 4, 64, 128
"""Bits of the flags of a residue: all backbone atoms are present; no peptide leads to the next residue; the
residue is modified and stored as its parent; the hand at Cα is wrong; an atom is near another chain."""
DOUBTFUL = 4
"""The same bit as `MODIFIED`, in backbones: the geometry of the residue or of its peptide is improbable."""
COORDINATES_PER_ANGSTROM = 100.0
"""Coordinates are stored as integers in units of 0.01 Å."""
