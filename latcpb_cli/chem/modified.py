"""Modified residues whose extra atoms are built: phosphorylated Ser, Thr and Tyr, and oxidised Met.

Bond lengths and angles are those of the CCP4 monomer library (entries SEP,
TPO, PTR, MHO and SME, made with AceDRG from small-molecule crystal
structures; Long et al. 2017, doi:10.1107/S2059798317000067), rounded to
0.001 Å and 0.1°. The three O-P-O angles of a phosphate and its three ester
angles depend on each other; both come from O-P-O (112.9° on Ser and Thr,
112.1° on Tyr). Atom names are those of the wwPDB chemical components.

A *residue kind* is a number: 0 to 19 for the residue types, from 20 on for the
modified residues in the order of ``MODIFIED_RESIDUES``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from latcpb_cli.chem.residues import ATOM_SLOTS, N_SLOTS, NAMES

__all__ = [
    "ESTER_ROTATION", "MODIFIED_RESIDUES", "NO_ROTATION", "PHOSPHATE_ROTATION", "VARIANTS", "ExtraAtom",
    "ModifiedResidue", "atom_slots", "modified_residue", "parent_name", "parent_types", "residue_kinds",
]  # fmt: skip

ESTER_ROTATION, PHOSPHATE_ROTATION, NO_ROTATION = 0, 1, -1
"""Free rotation that an extra atom follows: about the ester bond, about the O-P bond, or none."""


class ExtraAtom(NamedTuple):
    """An atom x placed from three others (a, b, c).

    Bond c-x is in Å, angle b-c-x and torsion a-b-c-x are in degrees;
    ``rotation`` is the free rotation that is added to the torsion.
    """

    name: str
    element: str
    parents: tuple[str, str, str]
    length: float
    angle: float
    torsion: float
    rotation: int


@dataclass(frozen=True)
class ModifiedResidue:
    """One of the twenty amino acids with extra atoms.

    Attributes
    ----------
    name, parent : str
        Three-letter names of the modified residue and of the amino acid.
    comment : str
        Its name in the wwPDB chemical components.
    extra_atoms : tuple of ExtraAtom
        In the order of their slots, from ``N_SLOTS`` on.
    renamed : dict of str to str
        New names of the parent's atoms that have another name here.
    """

    name: str
    parent: str
    comment: str
    extra_atoms: tuple[ExtraAtom, ...]
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def is_rotatable(self) -> bool:
        """Whether the extra atoms have free rotations."""
        return any(atom.rotation != NO_ROTATION for atom in self.extra_atoms)

    def bonds(self) -> list[tuple[str, str]]:
        """Bonds of the extra atoms, under the atom names of the parent."""
        return [(atom.parents[2], atom.name) for atom in self.extra_atoms]


def _phosphate(
    ester_atoms: tuple[str, str, str], ester: float, ester_angle: float, bond: float, angle: float
) -> tuple[ExtraAtom, ...]:
    """P on an oxygen, the last of ``ester_atoms``, and three oxygens on P."""
    parents = (ester_atoms[1], ester_atoms[2], "P")
    oxygens = [
        ExtraAtom(name, "O", parents, bond, angle, torsion, PHOSPHATE_ROTATION)
        for name, torsion in (("O1P", 180.0), ("O2P", 60.0), ("O3P", -60.0))
    ]
    return (ExtraAtom("P", "P", ester_atoms, ester, ester_angle, 0.0, ESTER_ROTATION), *oxygens)


def _sulfoxide(name: str, side: float) -> tuple[ExtraAtom, ...]:
    """An oxygen on SD, at 106.2° from CG and CE; MHO and SME have it on opposite sides (1 and -1)."""
    return (ExtraAtom(name, "O", ("CE", "CG", "SD"), 1.503, 106.2, side * -111.0, NO_ROTATION),)


MODIFIED_RESIDUES: tuple[ModifiedResidue, ...] = (
    ModifiedResidue(
        "SEP", "SER", "PHOSPHOSERINE", _phosphate(("CA", "CB", "OG"), 1.614, 118.6, 1.517, 105.8)
    ),
    ModifiedResidue(
        "TPO", "THR", "PHOSPHOTHREONINE", _phosphate(("CA", "CB", "OG1"), 1.614, 121.5, 1.517, 105.8)
    ),
    ModifiedResidue(
        "PTR", "TYR", "O-PHOSPHOTYROSINE", _phosphate(("CE1", "CZ", "OH"), 1.592, 124.8, 1.509, 106.7)
    ),
    ModifiedResidue("MHO", "MET", "S-OXYMETHIONINE", _sulfoxide("OD1", 1.0)),
    ModifiedResidue("SME", "MET", "METHIONINE SULFOXIDE", _sulfoxide("OE", -1.0), {"SD": "S"}),
)
"""All modified residues."""

_MODIFIED_BY_VARIANT = {modified.name: modified for modified in MODIFIED_RESIDUES}
_MODIFIED_BY_VARIANT |= {
    "S1P": _MODIFIED_BY_VARIANT["SEP"],
    "T1P": _MODIFIED_BY_VARIANT["TPO"],
    "Y1P": _MODIFIED_BY_VARIANT["PTR"],
}
"""The singly charged phosphates of Amber differ from the others by a hydrogen."""
_PROTONATED = {"HID": "HIS", "HIE": "HIS", "HIP": "HIS", "ASH": "ASP", "GLH": "GLU", "LYN": "LYS"}

VARIANTS = {name: modified.parent for name, modified in _MODIFIED_BY_VARIANT.items()} | _PROTONATED
"""Residues that are modified, or in a protonation state, and the names of their residue types."""


def modified_residue(variant: str) -> ModifiedResidue | None:
    """Return the modified residue of a variant, None where its heavy atoms are those of its parent."""
    return _MODIFIED_BY_VARIANT.get(variant)


def parent_name(variant: str) -> str:
    """Return the three-letter name of the amino acid that a variant belongs to."""
    return VARIANTS[variant]


def residue_kinds(types: Int[np.ndarray, "L"], variants: np.ndarray | None) -> Int[np.ndarray, "L"]:
    """Return the residue kinds of residue types and variants ("" for none in particular)."""
    kinds = np.array(types)
    if variants is not None:
        for index in np.flatnonzero(variants != ""):
            modified = modified_residue(str(variants[index]))
            if modified is not None:
                kinds[index] = len(NAMES) + MODIFIED_RESIDUES.index(modified)
    return kinds


def parent_types(residue_kinds: Int[np.ndarray, "L"]) -> Int[np.ndarray, "L"]:
    """Return the residue types of residue kinds; that of a modified residue is its parent's."""
    table = [*range(len(NAMES)), *(NAMES.index(modified.parent) for modified in MODIFIED_RESIDUES)]
    return np.asarray(np.array(table)[residue_kinds])


@cache
def atom_slots(residue_kind: int) -> dict[str, int]:
    """Return the slot of each atom of a residue kind, by wwPDB atom name (without OXT)."""
    if residue_kind < len(NAMES):
        return {atom: slot for slot, atom in enumerate(ATOM_SLOTS[residue_kind])}
    modified = MODIFIED_RESIDUES[residue_kind - len(NAMES)]
    parent_slots = atom_slots(NAMES.index(modified.parent))
    slots = {modified.renamed.get(atom, atom): slot for atom, slot in parent_slots.items()}
    return slots | {atom.name: N_SLOTS + index for index, atom in enumerate(modified.extra_atoms)}
