"""Bonds, elements and atom names of all residue kinds: the twenty amino acids, then the modified residues."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Int, Shaped

from latcpb_cli.chem.bonds import FAR, bond_steps, element_index
from latcpb_cli.chem.modified import MODIFIED_RESIDUES, atom_slots
from latcpb_cli.chem.residues import ELEMENTS, N_SLOTS, NAMES, OXT_SLOT

__all__ = ["ALL_ELEMENTS", "N_ALL_SLOTS", "all_atom_names", "all_bond_steps", "all_element_index"]

ALL_ELEMENTS = (*ELEMENTS, "P")
"""Elements of all residue kinds."""
N_ALL_SLOTS = N_SLOTS + max(len(modified.extra_atoms) for modified in MODIFIED_RESIDUES)
"""Slots of the residue kind that has most."""
_N_RESIDUE_KINDS = len(NAMES) + len(MODIFIED_RESIDUES)


@cache
def all_bond_steps() -> Int[np.ndarray, "K W W"]:
    """`bond_steps` of K residue kinds and W slots, int8."""
    table = np.full((_N_RESIDUE_KINDS, N_ALL_SLOTS, N_ALL_SLOTS), FAR, dtype=np.int8)
    table[: len(NAMES), :N_SLOTS, :N_SLOTS] = bond_steps()
    for kind, modified in enumerate(MODIFIED_RESIDUES, start=len(NAMES)):
        steps = table[kind]
        steps[:] = table[NAMES.index(modified.parent)]
        slots = atom_slots(kind)
        for atom in modified.extra_atoms:
            # The atom that an extra atom is bonded to has a lower slot, so its row is complete.
            c, x = slots[modified.renamed.get(atom.parents[2], atom.parents[2])], slots[atom.name]
            steps[x] = steps[:, x] = np.minimum(steps[c] + 1, FAR)
            steps[x, x] = 0
    return table


@cache
def all_element_index() -> Int[np.ndarray, "K W"]:
    """Index into ``ALL_ELEMENTS`` of each of W slots of K residue kinds."""
    table = np.zeros((_N_RESIDUE_KINDS, N_ALL_SLOTS), dtype=np.int64)
    table[: len(NAMES), :N_SLOTS] = element_index()
    for kind, modified in enumerate(MODIFIED_RESIDUES, start=len(NAMES)):
        table[kind] = table[NAMES.index(modified.parent)]
        for index, atom in enumerate(modified.extra_atoms):
            table[kind, N_SLOTS + index] = ALL_ELEMENTS.index(atom.element)
    return table


@cache
def all_atom_names() -> Shaped[np.ndarray, "K W"]:
    """Names (wwPDB) of the atoms of K residue kinds by slot, OXT in all; "" for slots without an atom."""
    table = np.zeros((_N_RESIDUE_KINDS, N_ALL_SLOTS), dtype="U4")
    for kind in range(_N_RESIDUE_KINDS):
        slots = atom_slots(kind)
        table[kind, list(slots.values())] = list(slots)
    table[:, OXT_SLOT] = "OXT"
    return table
