"""Write beads as CALVADOS 3 has them, from the all-atom model of troponin C.

Residues of the folded domain have their bead at the centre of mass of their atoms, by the function that
CALVADOS 3 uses (``center_of_mass`` of MDAnalysis, in ``calvados/build.py``), the others at Cα. Writes
tnc_com.pdb beside this file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from MDAnalysis import Universe

FOLDER = Path(__file__).parent
DOMAIN = range(5, 86)
"""Residues whose beads are centres of mass."""


def bead(residue: object) -> np.ndarray:
    """Position (Å) of the bead of a residue."""
    atoms = residue.atoms  # type: ignore[attr-defined]
    if residue.resid in DOMAIN:  # type: ignore[attr-defined]
        return np.asarray(atoms.center_of_mass())
    return np.asarray(atoms.select_atoms("name CA").positions[0])


def main() -> None:
    universe = Universe(str(FOLDER / "tnc_allatom.pdb"))
    lines = ["REMARK   1 BEADS OF CALVADOS 3: CENTRES OF MASS OF A 5-85, CA OF THE OTHERS"]
    for number, residue in enumerate(universe.residues, start=1):
        x, y, z = bead(residue)
        lines.append(
            f"ATOM  {number:5d}  CA  {residue.resname} A{residue.resid:4d}    {x:8.3f}{y:8.3f}{z:8.3f}"
            "  1.00  0.00           C"
        )
    (FOLDER / "tnc_com.pdb").write_text("\n".join([*lines, "TER", "END", ""]))


if __name__ == "__main__":
    main()
