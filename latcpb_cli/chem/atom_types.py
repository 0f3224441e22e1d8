"""Chemical types of heavy atoms, the classes over which contact energies are tabulated."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Int

from latcpb_cli.chem.residues import ATOM_SLOTS, N_SLOTS, NAMES

__all__ = ["ATOM_TYPES", "atom_type_pairs", "atom_type_table"]

ATOM_TYPES = (
    "backbone N",
    "CA",
    "backbone C",
    "backbone O",
    "aliphatic C",
    "methyl C",
    "aromatic C",
    "planar C",
    "carboxyl O",
    "amide O",
    "amide N",
    "ammonium N",
    "guanidinium N",
    "imidazole N",
    "indole N",
    "hydroxyl O",
    "phenol O",
    "thiol S",
    "thioether S",
)
_BACKBONE = {"N": "backbone N", "CA": "CA", "C": "backbone C", "O": "backbone O", "OXT": "backbone O"}
_METHYLS = "ALA:CB VAL:CG1 VAL:CG2 LEU:CD1 LEU:CD2 ILE:CD1 ILE:CG2 THR:CG2 MET:CE".split()
_PLANAR = "ASP:CG ASN:CG GLU:CD GLN:CD ARG:CZ".split()
_POLAR = {
    "ASP": ("carboxyl O", ""),
    "GLU": ("carboxyl O", ""),
    "ASN": ("amide O", "amide N"),
    "GLN": ("amide O", "amide N"),
    "LYS": ("", "ammonium N"),
    "ARG": ("", "guanidinium N"),
    "HIS": ("", "imidazole N"),
    "TRP": ("", "indole N"),
    "SER": ("hydroxyl O", ""),
    "THR": ("hydroxyl O", ""),
    "TYR": ("phenol O", ""),
}
_AROMATIC = ("PHE", "TYR", "TRP", "HIS")


def _atom_type(residue: str, atom: str) -> str:
    """Return the name, out of ``ATOM_TYPES``, of the type of an atom."""
    key = f"{residue}:{atom}"
    if atom in _BACKBONE:
        return _BACKBONE[atom]
    if key in _METHYLS:
        return "methyl C"
    if key in _PLANAR:
        return "planar C"
    if atom[0] == "S":
        return "thiol S" if residue == "CYS" else "thioether S"
    if atom[0] in "ON":
        return _POLAR[residue]["ON".index(atom[0])]
    return "aromatic C" if residue in _AROMATIC and atom != "CB" else "aliphatic C"


@cache
def atom_type_table() -> Int[np.ndarray, "20 15"]:
    """Index into ``ATOM_TYPES`` of every slot of every residue type; 0 where there is no atom."""
    table = np.zeros((len(NAMES), N_SLOTS), dtype=np.int64)
    for residue, name in enumerate(NAMES):
        for slot, atom in enumerate(ATOM_SLOTS[residue]):
            table[residue, slot] = ATOM_TYPES.index(_atom_type(name, atom))
    return table


@cache
def atom_type_pairs() -> Int[np.ndarray, "T T"]:
    """Index (0 to 189) of the unordered pair of two atom types, T = 19 of them."""
    pairs = np.zeros((len(ATOM_TYPES), len(ATOM_TYPES)), dtype=np.int64)
    first, second = np.triu_indices(len(ATOM_TYPES))
    pairs[first, second] = pairs[second, first] = np.arange(len(first))
    return pairs
