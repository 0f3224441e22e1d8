"""The twenty amino acids: atom names, bonds, torsions, symmetry, aliases.

Slots follow the *atom14* order of AlphaFold 2 (Jumper et al. 2021,
supplement, table 2); slot 14 (``OXT``) is added for the second oxygen of a C
terminus, so arrays of atoms have 15 slots per residue. Residue indices follow
``LETTERS``, the alphabetical order of the three-letter names.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Int

__all__ = [
    "ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE",
    "LEU", "LYS", "MET", "PHE", "PRO", "SER", "THR", "TRP", "TYR", "VAL",
    "ALIASES", "ATOM_SLOTS", "BACKBONE_SLOTS", "CA_SLOT", "CB_SLOT", "CHI_ATOMS", "CHI_SYMMETRIC",
    "COVALENT_RADIUS", "C_SLOT", "ELEMENTS", "GAMMA_SLOT", "GIVEN_SLOTS", "LETTERS", "NAMES", "N_SLOT",
    "N_AND_C", "N_SLOTS", "OXT_SLOT", "O_SLOT", "RINGS", "SIDECHAIN_BONDS", "SWAPS", "VDW_RADIUS",
    "letter_index", "slot_mask", "slot_of", "swap_slots",
]  # fmt: skip

LETTERS = "ARNDCQEGHILKMFPSTWYV"
NAMES = (
    "ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE",
    "LEU", "LYS", "MET", "PHE", "PRO", "SER", "THR", "TRP", "TYR", "VAL",
)  # fmt: skip
ALA, ARG, ASN, ASP, CYS, GLN, GLU, GLY, HIS, ILE, LEU, LYS, MET, PHE, PRO, SER, THR, TRP, TYR, VAL = range(20)
"""Residue indices."""
N_SLOT, CA_SLOT, C_SLOT, O_SLOT, CB_SLOT = range(5)
"""Slots of the atoms that all residue types have (glycine has no CB)."""
GAMMA_SLOT = 5
"""Slot of CG, CG1, OG, OG1 or SG: the first whose position depends on a chi angle."""
OXT_SLOT = 14
N_AND_C = slice(N_SLOT, C_SLOT + 1, C_SLOT - N_SLOT)
"""The two neighbours of CA in the chain."""
N_SLOTS = 15
"""Slots per residue."""
BACKBONE_SLOTS = (N_SLOT, C_SLOT, O_SLOT)
"""Slots of N, C and O: the backbone atoms that are built (CA is given)."""
GIVEN_SLOTS = (N_SLOT, C_SLOT, O_SLOT, CB_SLOT)
"""Slots of the atoms that a backbone given beside the Cα may have."""

_SIDECHAIN = {
    "ALA": "CB",
    "ARG": "CB CG CD NE CZ NH1 NH2",
    "ASN": "CB CG OD1 ND2",
    "ASP": "CB CG OD1 OD2",
    "CYS": "CB SG",
    "GLN": "CB CG CD OE1 NE2",
    "GLU": "CB CG CD OE1 OE2",
    "GLY": "",
    "HIS": "CB CG ND1 CD2 CE1 NE2",
    "ILE": "CB CG1 CG2 CD1",
    "LEU": "CB CG CD1 CD2",
    "LYS": "CB CG CD CE NZ",
    "MET": "CB CG SD CE",
    "PHE": "CB CG CD1 CD2 CE1 CE2 CZ",
    "PRO": "CB CG CD",
    "SER": "CB OG",
    "THR": "CB OG1 CG2",
    "TRP": "CB CG CD1 CD2 NE1 CE2 CE3 CZ2 CZ3 CH2",
    "TYR": "CB CG CD1 CD2 CE1 CE2 CZ OH",
    "VAL": "CB CG1 CG2",
}
ATOM_SLOTS: tuple[tuple[str, ...], ...] = tuple(
    ("N", "CA", "C", "O", *_SIDECHAIN[name].split()) for name in NAMES
)
"""Atom names of each residue type in slot order (without OXT)."""
_SLOTS = {
    name: {atom: slot for slot, atom in enumerate(atoms)}
    for name, atoms in zip(NAMES, ATOM_SLOTS, strict=True)
}

_CHI = {
    "ARG": "N-CA-CB-CG CA-CB-CG-CD CB-CG-CD-NE CG-CD-NE-CZ",
    "ASN": "N-CA-CB-CG CA-CB-CG-OD1",
    "ASP": "N-CA-CB-CG CA-CB-CG-OD1",
    "CYS": "N-CA-CB-SG",
    "GLN": "N-CA-CB-CG CA-CB-CG-CD CB-CG-CD-OE1",
    "GLU": "N-CA-CB-CG CA-CB-CG-CD CB-CG-CD-OE1",
    "HIS": "N-CA-CB-CG CA-CB-CG-ND1",
    "ILE": "N-CA-CB-CG1 CA-CB-CG1-CD1",
    "LEU": "N-CA-CB-CG CA-CB-CG-CD1",
    "LYS": "N-CA-CB-CG CA-CB-CG-CD CB-CG-CD-CE CG-CD-CE-NZ",
    "MET": "N-CA-CB-CG CA-CB-CG-SD CB-CG-SD-CE",
    "PHE": "N-CA-CB-CG CA-CB-CG-CD1",
    "PRO": "N-CA-CB-CG CA-CB-CG-CD",
    "SER": "N-CA-CB-OG",
    "THR": "N-CA-CB-OG1",
    "TRP": "N-CA-CB-CG CA-CB-CG-CD1",
    "TYR": "N-CA-CB-CG CA-CB-CG-CD1",
    "VAL": "N-CA-CB-CG1",
}
CHI_ATOMS: tuple[tuple[tuple[str, str, str, str], ...], ...] = tuple(
    tuple(tuple(chi.split("-")) for chi in _CHI.get(name, "").split())  # type: ignore[misc]
    for name in NAMES
)
"""The atoms of chi 1-4 of each residue type."""

CHI_SYMMETRIC = {"ASP": 1, "GLU": 2, "PHE": 1, "TYR": 1}
"""Residues whose last chi (0-based index) is the same after half a turn."""

SWAPS = {
    "ASP": (("OD1", "OD2"),),
    "GLU": (("OE1", "OE2"),),
    "PHE": (("CD1", "CD2"), ("CE1", "CE2")),
    "TYR": (("CD1", "CD2"), ("CE1", "CE2")),
    "ARG": (("NH1", "NH2"),),
}
"""Pairs of atoms that exchange names when a symmetric group turns by half a turn."""


def _pair(bond: str) -> tuple[str, str]:
    one, two = bond.split("-")
    return one, two


_SIDECHAIN_BONDS = {
    "ALA": "",
    "ARG": "CB-CG CG-CD CD-NE NE-CZ CZ-NH1 CZ-NH2",
    "ASN": "CB-CG CG-OD1 CG-ND2",
    "ASP": "CB-CG CG-OD1 CG-OD2",
    "CYS": "CB-SG",
    "GLN": "CB-CG CG-CD CD-OE1 CD-NE2",
    "GLU": "CB-CG CG-CD CD-OE1 CD-OE2",
    "GLY": "",
    "HIS": "CB-CG CG-ND1 CG-CD2 ND1-CE1 CD2-NE2 CE1-NE2",
    "ILE": "CB-CG1 CB-CG2 CG1-CD1",
    "LEU": "CB-CG CG-CD1 CG-CD2",
    "LYS": "CB-CG CG-CD CD-CE CE-NZ",
    "MET": "CB-CG CG-SD SD-CE",
    "PHE": "CB-CG CG-CD1 CG-CD2 CD1-CE1 CD2-CE2 CE1-CZ CE2-CZ",
    "PRO": "CB-CG CG-CD N-CD",
    "SER": "CB-OG",
    "THR": "CB-OG1 CB-CG2",
    "TRP": "CB-CG CG-CD1 CG-CD2 CD1-NE1 NE1-CE2 CD2-CE2 CD2-CE3 CE2-CZ2 CE3-CZ3 CZ2-CH2 CZ3-CH2",
    "TYR": "CB-CG CG-CD1 CG-CD2 CD1-CE1 CD2-CE2 CE1-CZ CE2-CZ CZ-OH",
    "VAL": "CB-CG1 CB-CG2",
}
SIDECHAIN_BONDS: tuple[tuple[tuple[str, str], ...], ...] = tuple(
    (() if name == "GLY" else (("CA", "CB"),)) + tuple(_pair(bond) for bond in _SIDECHAIN_BONDS[name].split())
    for name in NAMES
)
"""Bonds beyond N-CA, CA-C, C-O (and C-OXT) of each residue type."""

RINGS: dict[str, tuple[tuple[str, ...], ...]] = {
    "PHE": (("CG", "CD1", "CE1", "CZ", "CE2", "CD2"),),
    "TYR": (("CG", "CD1", "CE1", "CZ", "CE2", "CD2"),),
    "HIS": (("CG", "ND1", "CE1", "NE2", "CD2"),),
    "PRO": (("N", "CA", "CB", "CG", "CD"),),
    "TRP": (("CG", "CD1", "NE1", "CE2", "CD2"), ("CD2", "CE2", "CZ2", "CH2", "CZ3", "CE3")),
}
"""Rings, each as its atoms in order around it."""

ELEMENTS = ("C", "N", "O", "S")
"""Elements of the twenty amino acids; phosphorus is in modified residues only."""
COVALENT_RADIUS = {"C": 0.76, "N": 0.71, "O": 0.66, "S": 1.05, "P": 1.07}
"""Covalent radii in Å (Cordero et al. 2008, doi:10.1039/b801115j)."""
VDW_RADIUS = {"C": 1.70, "N": 1.55, "O": 1.52, "S": 1.80, "P": 1.80}
"""Van der Waals radii in Å (Bondi 1964, doi:10.1021/j100785a001)."""

ALIASES: dict[str, str] = {
    **{name: name for name in NAMES},
    **{letter: name for letter, name in zip(LETTERS, NAMES, strict=True)},
    "HSD": "HIS", "HSE": "HIS", "HSP": "HIS", "HID": "HIS", "HIE": "HIS", "HIP": "HIS",
    "HISD": "HIS", "HISE": "HIS", "HISH": "HIS", "HISA": "HIS", "HISB": "HIS", "HIS1": "HIS", "HIS2": "HIS",
    "CYX": "CYS", "CYM": "CYS", "CYS2": "CYS", "CYSH": "CYS", "CSS": "CYS",
    "ASH": "ASP", "ASPH": "ASP", "GLH": "GLU", "GLUH": "GLU", "LYN": "LYS", "LYSH": "LYS",
    "ARN": "ARG", "MSE": "MET", "CMET": "MET", "NMET": "MET",
}  # fmt: skip
"""Residue names (upper case) that mean one of the twenty amino acids."""


def letter_index(sequence: str) -> Int[np.ndarray, "L"]:
    """Convert one-letter codes into residue indices.

    Parameters
    ----------
    sequence : str
        Letters out of ``LETTERS``.

    Returns
    -------
    numpy.ndarray of int64, shape (L,)
    """
    return np.array([LETTERS.index(letter) for letter in sequence], dtype=np.int64)


def slot_of(name: str, atom: str) -> int:
    """Return the slot of an atom name in a residue type (three-letter name)."""
    return OXT_SLOT if atom == "OXT" else _SLOTS[name][atom]


@cache
def swap_slots() -> Int[np.ndarray, "20 15"]:
    """Slot of each slot's atom after half a turn of the symmetric group (`SWAPS`) of each residue type."""
    slots = np.tile(np.arange(N_SLOTS), (len(NAMES), 1))
    for name, pairs in SWAPS.items():
        for one, two in pairs:
            a, b = slot_of(name, one), slot_of(name, two)
            slots[NAMES.index(name), [a, b]] = b, a
    return slots


def slot_mask() -> Bool[np.ndarray, "20 15"]:
    """Which slots each residue type fills (never OXT)."""
    mask = np.zeros((20, N_SLOTS), dtype=bool)
    for index, names in enumerate(ATOM_SLOTS):
        mask[index, : len(names)] = True
    return mask
