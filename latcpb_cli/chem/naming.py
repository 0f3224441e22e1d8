"""Conversion of residue and atom names into the naming conventions of force fields."""

from __future__ import annotations

from latcpb_cli.chem.conventions import NAMINGS, Naming
from latcpb_cli.chem.modified import VARIANTS, modified_residue, parent_name

__all__ = ["VARIANT_ALIASES", "atom_name", "extra_atom_names", "residue_name"]

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

VARIANT_ALIASES: dict[str, str] = {
    **{name: name for name in VARIANTS},
    **{charmm: name for name, charmm in _CHARMM.items() if name in VARIANTS},
    "THP2": "TPO", "ASPH": "ASH", "GLUH": "GLH",
    "HISD": "HID", "HISA": "HID", "HISE": "HIE", "HISB": "HIE", "HISH": "HIP",
}  # fmt: skip
"""Residue names of the PDB and of force fields that mean a variant, with the variant."""


def residue_name(name: str, naming: Naming, bridged: bool = False) -> str:
    """Return the name of a residue or variant in a naming convention.

    Parameters
    ----------
    name : str
        One of the twenty three-letter names or of ``VARIANTS``.
    naming : {'pdb', 'charmm', 'amber'}
    bridged : bool
        Whether the residue is a cysteine of a disulfide.
    """
    if naming == "charmm":
        return _CHARMM.get(name, name)
    if naming == "amber":
        return "CYX" if bridged else {"HIS": "HIE"}.get(name, name)
    if name not in VARIANTS:
        return name
    modified = modified_residue(name)
    return parent_name(name) if modified is None else modified.name


def atom_name(residue: str, atom: str, naming: Naming, last: bool) -> str:
    """Return the name of an atom in a naming convention; ``last`` is true in the last residue of a chain."""
    if naming != "charmm":
        return atom
    if last and atom in _CHARMM_END:
        return _CHARMM_END[atom]
    return _CHARMM_ATOMS.get((residue, atom), atom)


def extra_atom_names(variant: str) -> frozenset[str]:
    """Return the names, in all naming conventions, of the atoms that a variant has beyond its parent's."""
    modified = modified_residue(variant)
    extra_atoms = () if modified is None else modified.extra_atoms
    return frozenset(
        atom_name(variant, atom.name, naming, False) for atom in extra_atoms for naming in NAMINGS
    )
