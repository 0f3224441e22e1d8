"""Kinds of atoms that find_contacts in a protein alike, for contact energies."""

from __future__ import annotations

from functools import cache

import numpy as np

from latcpb_cli.chem.residues import ATOM_SLOTS, NAMES

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


def _kind(residue: str, atom: str) -> str:
    where = f"{residue}:{atom}"
    if atom in _BACKBONE:
        return _BACKBONE[atom]
    if where in _METHYLS:
        return "methyl C"
    if where in _PLANAR:
        return "planar C"
    if atom[0] == "S":
        return "thiol S" if residue == "CYS" else "thioether S"
    if atom[0] in "ON":
        return _POLAR[residue]["ON".index(atom[0])]
    return "aromatic C" if residue in _AROMATIC and atom != "CB" else "aliphatic C"


@cache
def atom_type_table() -> np.ndarray:
    """Number of the kind in every slot of every residue type, int64 (20, 15); 0 where there is no atom."""
    kinds = np.zeros((20, 15), dtype=np.int64)
    for residue, name in enumerate(NAMES):
        for slot, atom in enumerate(ATOM_SLOTS[residue]):
            kinds[residue, slot] = ATOM_TYPES.index(_kind(name, atom)) if atom else 0
    return kinds


@cache
def atom_type_pairs() -> np.ndarray:
    """Number of the unordered pair of two kinds, int64 (19, 19)."""
    pairs = np.zeros((len(ATOM_TYPES), len(ATOM_TYPES)), dtype=np.int64)
    first, second = np.triu_indices(len(ATOM_TYPES))
    pairs[first, second] = pairs[second, first] = np.arange(len(first))
    return pairs
