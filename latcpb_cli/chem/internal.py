"""How every side-chain atom hangs on three earlier ones (a z-matrix).

An atom is placed from parents (a, b, c): bond c-x, angle b-c-x, torsion
a-b-c-x. The torsion is a chi angle plus a constant (``chi`` >= 0) or the
constant alone (``chi`` = -1: planar rings and groups). CB is placed from N, CA
and C and stands outside this table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from latcpb_cli.chem.residues import ATOM_SLOTS, CHI_ATOMS, NAMES

__all__ = ["FIRST_SLOT", "N_CHI", "Placement", "chi_mask", "chi_moves", "chi_slots", "placements"]

FIRST_SLOT = 5
"""Slots from here on are placed by this table."""
N_CHI = 4


class Placement(NamedTuple):
    """Parents of one atom and the chi angle that turns it (-1: none)."""

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


def placements(residue: int) -> list[Placement]:
    """Placements of the atoms from slot 5 on, in slot order."""
    found = {
        chi[3]: Placement(chi[3], (chi[0], chi[1], chi[2]), index)
        for index, chi in enumerate(CHI_ATOMS[residue])
    }
    for entry in _BRANCHES.get(NAMES[residue], "").split():
        atom, parents, *chi = entry.split(":")
        a, b, c = parents.split("-")
        found[atom] = Placement(atom, (a, b, c), int(chi[0]) if chi else -1)
    return [found[atom] for atom in ATOM_SLOTS[residue][FIRST_SLOT:]]


def chi_slots() -> np.ndarray:
    """Slots of the four atoms of each chi, int64 (20, 4, 4); -1 where there is none."""
    slots = np.full((20, N_CHI, 4), -1, dtype=np.int64)
    for residue, chis in enumerate(CHI_ATOMS):
        for index, chi in enumerate(chis):
            slots[residue, index] = [ATOM_SLOTS[residue].index(atom) for atom in chi]
    return slots


def chi_mask() -> np.ndarray:
    """Which chi angles a residue type has: bool, shape (20, 4)."""
    return chi_slots()[:, :, 0] >= 0


def chi_moves() -> np.ndarray:
    """Which slots turn with each chi angle: bool, shape (20, 14, 4)."""
    moves = np.zeros((20, 14, N_CHI), dtype=bool)
    for residue, names in enumerate(ATOM_SLOTS):
        for slot, atom in enumerate(placements(residue), start=FIRST_SLOT):
            moves[residue, slot] = moves[residue, names.index(atom.parents[2])]
            if atom.chi >= 0:
                moves[residue, slot, atom.chi] = True
    return moves
