"""Modified residues that are built as such: what they add to one of the twenty.

Bond lengths and angles are those of the CCP4 monomer library (entries SEP,
TPO, PTR, MHO and SME, made with AceDRG from small-molecule crystal
structures; Long et al. 2017, doi:10.1107/S2059798317000067), rounded to
0.001 Å and 0.1°. The three O-P-O angles of a phosphate and its three ester
angles cannot be chosen apart; both come from O-P-O (112.9° on Ser and Thr,
112.1° on Tyr). Atom names are those of the wwPDB chemical components.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np

from latcpb_cli.chem.residues import ATOM_SLOTS, N_SLOTS, NAMES

__all__ = [
    "ESTER", "FIXED", "MODIFIED", "PHOSPHATE", "VARIANTS", "ExtraAtom", "Modified", "modified_of",
    "parent_name", "parent_types", "residue_kinds_of", "slots_of",
]  # fmt: skip

ESTER, PHOSPHATE, FIXED = 0, 1, -1
"""Which turn an extra atom follows: about the ester bond, about the O-P bond, or none."""


class ExtraAtom(NamedTuple):
    """An atom x placed from three others (a, b, c).

    Bond c-x in Å, angle b-c-x and torsion a-b-c-x in degrees; ``turn`` names
    the free rotation that is added to the torsion.
    """

    name: str
    element: str
    parents: tuple[str, str, str]
    length: float
    angle: float
    torsion: float
    turn: int


@dataclass(frozen=True)
class Modified:
    """A residue that is one of the twenty with atoms more.

    Attributes
    ----------
    name, parent : str
        Three-letter names.
    comment : str
        What it is called.
    extras : tuple of ExtraAtom
        In the order of their slots, from ``N_SLOTS`` on.
    renamed : dict of str to str
        Atoms of the parent that have another name here.
    """

    name: str
    parent: str
    comment: str
    extras: tuple[ExtraAtom, ...]
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def turns(self) -> bool:
        """Whether there are free rotations to choose."""
        return any(atom.turn != FIXED for atom in self.extras)

    def bonds(self) -> list[tuple[str, str]]:
        """Bonds of the extra atoms, under the parent's names."""
        return [(atom.parents[2], atom.name) for atom in self.extras]


def _phosphate(
    chain: tuple[str, str, str], ester: float, bend: float, bond: float, angle: float
) -> tuple[ExtraAtom, ...]:
    """P on an oxygen, the last of ``chain``, and three oxygens on P."""
    above = (chain[1], chain[2], "P")
    oxygens = [
        ExtraAtom(name, "O", above, bond, angle, torsion, PHOSPHATE)
        for name, torsion in (("O1P", 180.0), ("O2P", 60.0), ("O3P", -60.0))
    ]
    return (ExtraAtom("P", "P", chain, ester, bend, 0.0, ESTER), *oxygens)


def _sulfoxide(name: str, hand: float) -> tuple[ExtraAtom, ...]:
    """An oxygen on SD, at 106.2° from CG and CE; ``hand`` is the side, which tells MHO from SME."""
    return (ExtraAtom(name, "O", ("CE", "CG", "SD"), 1.503, 106.2, hand * -111.0, FIXED),)


MODIFIED: tuple[Modified, ...] = (
    Modified("SEP", "SER", "PHOSPHOSERINE", _phosphate(("CA", "CB", "OG"), 1.614, 118.6, 1.517, 105.8)),
    Modified("TPO", "THR", "PHOSPHOTHREONINE", _phosphate(("CA", "CB", "OG1"), 1.614, 121.5, 1.517, 105.8)),
    Modified("PTR", "TYR", "O-PHOSPHOTYROSINE", _phosphate(("CE1", "CZ", "OH"), 1.592, 124.8, 1.509, 106.7)),
    Modified("MHO", "MET", "S-OXYMETHIONINE", _sulfoxide("OD1", 1.0)),
    Modified("SME", "MET", "METHIONINE SULFOXIDE", _sulfoxide("OE", -1.0), {"SD": "S"}),
)
"""All modified residues; their kinds follow the twenty types in this order."""

_BUILT_AS = {modified.name: modified for modified in MODIFIED}
_BUILT_AS |= {"S1P": _BUILT_AS["SEP"], "T1P": _BUILT_AS["TPO"], "Y1P": _BUILT_AS["PTR"]}
"""With the singly charged phosphates of Amber, which differ by a hydrogen."""
_PROTONATED = {"HID": "HIS", "HIE": "HIS", "HIP": "HIS", "ASH": "ASP", "GLH": "GLU", "LYN": "LYS"}

VARIANTS = (*_BUILT_AS, *_PROTONATED)
"""What a residue of one of the twenty types can be in particular: modified, or a state of protonation."""


def modified_of(variant: str) -> Modified | None:
    """How a variant is built, None where its heavy atoms are those of its parent."""
    return _BUILT_AS.get(variant)


def parent_name(variant: str) -> str:
    """Three-letter name of the standard residue of a variant."""
    modified = modified_of(variant)
    return _PROTONATED[variant] if modified is None else modified.parent


def residue_kinds_of(types: np.ndarray, variants: np.ndarray | None) -> np.ndarray:
    """Residue types (L,) with numbers from 20 on for modified residues."""
    kinds = np.array(types)
    if variants is not None:
        for index in np.flatnonzero(variants != ""):
            modified = modified_of(str(variants[index]))
            if modified is not None:
                kinds[index] = len(NAMES) + MODIFIED.index(modified)
    return kinds


def parent_types(kinds: np.ndarray) -> np.ndarray:
    """Residue types of kinds (L,): of modified residues, their parents'."""
    table = [*range(len(NAMES)), *(NAMES.index(modified.parent) for modified in MODIFIED)]
    return np.asarray(np.array(table)[kinds])


@cache
def slots_of(kind: int) -> dict[str, int]:
    """Slot of each atom of a kind of residue, under the names of the wwPDB (without OXT)."""
    if kind < len(NAMES):
        return {atom: slot for slot, atom in enumerate(ATOM_SLOTS[kind])}
    modified = MODIFIED[kind - len(NAMES)]
    own = slots_of(NAMES.index(modified.parent))
    named = {modified.renamed.get(atom, atom): slot for atom, slot in own.items()}
    return named | {atom.name: N_SLOTS + index for index, atom in enumerate(modified.extras)}
