"""How force fields call residues and atoms (names inside latcpb are those of the PDB, version 3).

- ``pdb``: wwPDB components; protonation does not show.
- ``charmm``: CHARMM36. ILE CD, OT1 and OT2 at a C terminus, HSD unless the input says HSE or HSP, and the
  names of the patches that make a phosphate (SP2, THPB and TP2, with their atom names); CHARMM36 has
  no oxidised Met, which keeps its PDB name.
- ``amber``: Amber. HIE unless the input says HID or HIP, CYX where a disulfide is; phosphates are called
  as in phosaa14SB and phosaa19SB (SEP, TPO, PTR, or S1P, T1P, Y1P).
"""

from __future__ import annotations

from typing import Literal

from latcpb_cli.chem.modified import VARIANTS, modified_of, parent_name

__all__ = ["NAMINGS", "READ_AS", "Naming", "atom_name", "extra_names", "residue_name"]

Naming = Literal["pdb", "charmm", "amber"]
NAMINGS: tuple[Naming, ...] = ("pdb", "charmm", "amber")

_CHARMM = {
    "HIS": "HSD", "HID": "HSD", "HIE": "HSE", "HIP": "HSP", "ASH": "ASPP", "GLH": "GLUP", "LYN": "LSN",
    "SEP": "SP2", "S1P": "SP1", "TPO": "THPB", "T1P": "THP1", "PTR": "TP2", "Y1P": "TP1",
}  # fmt: skip
_CHARMM_ATOMS = {
    **{("ILE", "CD1"): "CD"},
    **{(name, "O3P"): "OT" for name in ("SEP", "S1P", "TPO", "T1P")},
    **{
        (name, atom): other
        for name in ("PTR", "Y1P")
        for atom, other in (("P", "P1"), ("O1P", "O2"), ("O2P", "O3"), ("O3P", "O4"))
    },
}
_CHARMM_END = {"O": "OT1", "OXT": "OT2"}

READ_AS: dict[str, str] = {
    **{name: name for name in VARIANTS},
    **{charmm: name for name, charmm in _CHARMM.items() if name in VARIANTS},
    "THP2": "TPO", "ASPH": "ASH", "GLUH": "GLH",
    "HISD": "HID", "HISA": "HID", "HISE": "HIE", "HISB": "HIE", "HISH": "HIP",
}  # fmt: skip
"""Names that say more than the type of a residue, and the variant that they mean."""


def residue_name(name: str, naming: Naming, bridged: bool = False) -> str:
    """Call a residue, or a variant of one, as a force field does; ``bridged`` is a Cys of a disulfide."""
    if naming == "charmm":
        return _CHARMM.get(name, name)
    if naming == "amber":
        return "CYX" if bridged else {"HIS": "HIE"}.get(name, name)
    modified = modified_of(name)
    return name if name not in VARIANTS else parent_name(name) if modified is None else modified.name


def atom_name(residue: str, atom: str, naming: Naming, last: bool) -> str:
    """Call an atom as a force field does; ``last`` marks the residue at the end of a chain."""
    if naming != "charmm":
        return atom
    if last and atom in _CHARMM_END:
        return _CHARMM_END[atom]
    return _CHARMM_ATOMS.get((residue, atom), atom)


def extra_names(variant: str) -> frozenset[str]:
    """What the atoms that a variant has more than its parent are called, by whomever."""
    modified = modified_of(variant)
    extras = () if modified is None else modified.extras
    return frozenset(atom_name(variant, atom.name, naming, False) for atom in extras for naming in NAMINGS)
