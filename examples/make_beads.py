"""Write beads at centres of atoms, from the all-atom model of troponin C.

tnc_com.pdb has the beads of CALVADOS 3: residues of the folded domain have their bead at the centre of mass
of their atoms, by the function that CALVADOS 3 uses (``center_of_mass`` of MDAnalysis, in
``calvados/build.py``), the others at Cα. tnc_sc.pdb has two beads for each residue, as models have that add
side chains to the Cα: CA, and SC at the centre of mass of the side chain, which glycine lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from MDAnalysis import Universe

FOLDER = Path(__file__).parent
DOMAIN = range(5, 86)
"""Residues whose beads are centres of mass in tnc_com.pdb."""
_BACKBONE = "name N CA C O OXT"

Bead = tuple[str, object, np.ndarray]
"""Name, residue and position (Å)."""


def com_beads(universe: Universe) -> Iterator[Bead]:
    for residue in universe.residues:
        atoms = residue.atoms if residue.resid in DOMAIN else residue.atoms.select_atoms("name CA")
        yield "CA", residue, atoms.center_of_mass()


def side_chain_beads(universe: Universe) -> Iterator[Bead]:
    for residue in universe.residues:
        yield "CA", residue, residue.atoms.select_atoms("name CA").positions[0]
        side_chain = residue.atoms.select_atoms(f"not ({_BACKBONE})")
        if len(side_chain):
            yield "SC", residue, side_chain.center_of_mass()


def write(path: Path, remark: str, beads: Iterator[Bead]) -> None:
    lines = [f"REMARK   1 {remark}"]
    for number, (name, residue, (x, y, z)) in enumerate(beads, start=1):
        lines.append(
            f"ATOM  {number:5d}  {name}  {residue.resname} A{residue.resid:4d}    {x:8.3f}{y:8.3f}{z:8.3f}"  # type: ignore[attr-defined]
            "  1.00  0.00           C"
        )
    path.write_text("\n".join([*lines, "TER", "END", ""]))


def main() -> None:
    universe = Universe(str(FOLDER / "tnc_allatom.pdb"))
    remark = "BEADS OF CALVADOS 3: CENTRES OF MASS OF A 5-85, CA OF THE OTHERS"
    write(FOLDER / "tnc_com.pdb", remark, com_beads(universe))
    write(
        FOLDER / "tnc_sc.pdb",
        "CA, AND SC AT THE CENTRE OF MASS OF EACH SIDE CHAIN",
        side_chain_beads(universe),
    )


if __name__ == "__main__":
    main()
