"""Naming conventions of residues and atoms in output files.

- ``pdb``: wwPDB components; the names do not distinguish protonation states.
- ``charmm``: CHARMM36. ILE CD, OT1 and OT2 at a C terminus, HSD unless the input has HSE or HSP, and the
  names of the patches that make a phosphate (SP2, THPB and TP2, with their atom names); CHARMM36 has
  no oxidised Met, which keeps its PDB name.
- ``amber``: Amber. HIE unless the input has HID or HIP, CYX in a disulfide; phosphates have the names
  of phosaa14SB and phosaa19SB (SEP, TPO, PTR, or S1P, T1P, Y1P).

Names inside latcpb are those of the PDB, version 3. This module imports nothing
heavy, because the command line needs it to start.
"""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["NAMINGS", "Naming"]

Naming = Literal["pdb", "charmm", "amber"]
"""Name of a convention."""
NAMINGS: tuple[Naming, ...] = get_args(Naming)
