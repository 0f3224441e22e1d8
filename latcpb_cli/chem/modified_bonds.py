"""Bonds and elements of all kinds of residues, modified ones included."""

from __future__ import annotations

from functools import cache

import numpy as np

from latcpb_cli.chem.bonds import FAR, bond_steps, element_index
from latcpb_cli.chem.modified import MODIFIED, slots_of
from latcpb_cli.chem.residues import ELEMENTS, N_SLOTS, NAMES

__all__ = ["ALL_ELEMENTS", "N_ALL_SLOTS", "all_bond_steps", "all_element_index"]

ALL_ELEMENTS = (*ELEMENTS, "P")
N_ALL_SLOTS = N_SLOTS + max(len(modified.extras) for modified in MODIFIED)
_N_KINDS = len(NAMES) + len(MODIFIED)


@cache
def all_bond_steps() -> np.ndarray:
    """`bond_steps` with modified residues after the twenty: int8, shape (K, W, W)."""
    table = np.full((_N_KINDS, N_ALL_SLOTS, N_ALL_SLOTS), FAR, dtype=np.int8)
    table[: len(NAMES), :N_SLOTS, :N_SLOTS] = bond_steps()
    for kind, modified in enumerate(MODIFIED, start=len(NAMES)):
        steps = table[kind]
        steps[:] = table[NAMES.index(modified.parent)]
        slots = slots_of(kind)
        for atom in modified.extras:
            # Each hangs on an atom that is there before it.
            c, x = slots[modified.renamed.get(atom.parents[2], atom.parents[2])], slots[atom.name]
            steps[x] = steps[:, x] = np.minimum(steps[c] + 1, FAR)
            steps[x, x] = 0
    return table


@cache
def all_element_index() -> np.ndarray:
    """Index into ``ALL_ELEMENTS`` of each slot: int64, shape (K, W)."""
    table = np.zeros((_N_KINDS, N_ALL_SLOTS), dtype=np.int64)
    table[: len(NAMES), :N_SLOTS] = element_index()
    for kind, modified in enumerate(MODIFIED, start=len(NAMES)):
        table[kind] = table[NAMES.index(modified.parent)]
        for index, atom in enumerate(modified.extras):
            table[kind, N_SLOTS + index] = ALL_ELEMENTS.index(atom.element)
    return table
