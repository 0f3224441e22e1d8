"""The z-matrix of side chains: three earlier atoms from which each atom is placed.

An atom x has parents (a, b, c): bond c-x, bond angle b-c-x, torsion a-b-c-x.
The torsion is a chi angle plus a constant (``chi`` >= 0) or the constant alone
(``chi`` = -1, in planar rings and groups). CB is placed from N, CA and C and is
not part of this table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from latcpb_cli.chem.residues import ATOM_SLOTS, CHI_ATOMS, GAMMA_SLOT, NAMES, OXT_SLOT

__all__ = ["N_CHI", "Placement", "chi_mask", "chi_moved_mask", "chi_slots", "placements"]

N_CHI = 4
"""Chi angles of the residue types that have most."""


class Placement(NamedTuple):
    """An atom, its parents a, b and c, and the index of the chi angle in its torsion (-1 for none)."""

    atom: str
    parents: tuple[str, str, str]
    chi: int


_BRANCHES = {
    "ARG": "NH1:CD-NE-CZ NH2:CD-NE-CZ",
    "ASN": "ND2:CA-CB-CG:1",
    "ASP": "OD2:CA-CB-CG:1",
    "GLN": "NE2:CB-CG-CD:2",
    "GLU": "OE2:CB-CG-CD:2",
    "HIS": "CD2:CA-CB-CG:1 CE1:CB-CG-ND1 NE2:CB-CG-CD2",
    "ILE": "CG2:N-CA-CB:0",
    "LEU": "CD2:CA-CB-CG:1",
    "PHE": "CD2:CA-CB-CG:1 CE1:CB-CG-CD1 CE2:CB-CG-CD2 CZ:CG-CD1-CE1",
    "THR": "CG2:N-CA-CB:0",
    "TRP": "CD2:CA-CB-CG:1 NE1:CB-CG-CD1 CE2:CB-CG-CD2 CE3:CB-CG-CD2 "
    "CZ2:CG-CD2-CE2 CZ3:CG-CD2-CE3 CH2:CD2-CE2-CZ2",
    "TYR": "CD2:CA-CB-CG:1 CE1:CB-CG-CD1 CE2:CB-CG-CD2 CZ:CG-CD1-CE1 OH:CD1-CE1-CZ",
    "VAL": "CG2:N-CA-CB:0",
}
"""Atoms that are not the fourth of a chi angle, as atom:a-b-c or atom:a-b-c:chi."""


def placements(residue: int) -> list[Placement]:
    """Return the placements of the atoms of a residue type from slot 5 on, in slot order."""
    by_atom = {
        chi[3]: Placement(chi[3], (chi[0], chi[1], chi[2]), index)
        for index, chi in enumerate(CHI_ATOMS[residue])
    }
    for entry in _BRANCHES.get(NAMES[residue], "").split():
        atom, parents, *chi = entry.split(":")
        a, b, c = parents.split("-")
        by_atom[atom] = Placement(atom, (a, b, c), int(chi[0]) if chi else -1)
    return [by_atom[atom] for atom in ATOM_SLOTS[residue][GAMMA_SLOT:]]


def chi_slots() -> Int[np.ndarray, "20 4 4"]:
    """Slots of the four atoms of each chi angle of each residue type; -1 where there is none."""
    slots = np.full((20, N_CHI, 4), -1, dtype=np.int64)
    for residue, chis in enumerate(CHI_ATOMS):
        for index, chi in enumerate(chis):
            slots[residue, index] = [ATOM_SLOTS[residue].index(atom) for atom in chi]
    return slots


def chi_mask() -> Bool[np.ndarray, "20 4"]:
    """Which chi angles each residue type has."""
    return chi_slots()[:, :, 0] >= 0


def chi_moved_mask() -> Bool[np.ndarray, "20 14 4"]:
    """Which slots of each residue type a change of each chi angle moves."""
    moved = np.zeros((20, OXT_SLOT, N_CHI), dtype=bool)
    for residue, names in enumerate(ATOM_SLOTS):
        for slot, placement in enumerate(placements(residue), start=GAMMA_SLOT):
            moved[residue, slot] = moved[residue, names.index(placement.parents[2])]
            if placement.chi >= 0:
                moved[residue, slot, placement.chi] = True
    return moved
