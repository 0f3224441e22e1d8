"""Covalent bonds and the number of bonds between two atoms."""

from __future__ import annotations

from functools import cache

import numpy as np

from latcpb_cli.chem.residues import ATOM_SLOTS, ELEMENTS, N_SLOTS, NAMES, OXT_SLOT, SIDECHAIN_BONDS

__all__ = ["FAR", "bond_steps", "element_index", "intra_bonds", "intra_angles"]

FAR = 9
"""Number of bonds given to atoms that are not joined, or are not there."""


@cache
def intra_bonds() -> tuple[tuple[tuple[int, int], ...], ...]:
    """Bonds inside each residue type, as pairs of slots (C-OXT included)."""
    backbone = ((0, 1), (1, 2), (2, 3), (2, OXT_SLOT))
    return tuple(
        backbone + tuple((slots.index(a), slots.index(b)) for a, b in bonds)
        for slots, bonds in zip(ATOM_SLOTS, SIDECHAIN_BONDS, strict=True)
    )


@cache
def intra_angles() -> tuple[tuple[tuple[int, int, int], ...], ...]:
    """Bond angles inside each residue type, as triples of slots, the apex in the middle."""
    angles = []
    for bonds in intra_bonds():
        around: dict[int, list[int]] = {}
        for a, b in bonds:
            around.setdefault(a, []).append(b)
            around.setdefault(b, []).append(a)
        angles.append(
            tuple(
                (first, apex, last)
                for apex, ends in sorted(around.items())
                for k, first in enumerate(sorted(ends))
                for last in sorted(ends)[k + 1 :]
            )
        )
    return tuple(angles)


@cache
def bond_steps() -> np.ndarray:
    """Bonds on the shortest way between two atoms of a residue.

    Returns
    -------
    numpy.ndarray of int8, shape (20, 15, 15)
        0 on the diagonal, ``FAR`` where an atom is not of this residue type.
    """
    steps = np.full((len(NAMES), N_SLOTS, N_SLOTS), FAR, dtype=np.int8)
    for residue, bonds in enumerate(intra_bonds()):
        table = steps[residue]
        table[range(N_SLOTS), range(N_SLOTS)] = 0
        for a, b in bonds:
            table[a, b] = table[b, a] = 1
        for middle in range(N_SLOTS):
            through = table[:, middle, None] + table[None, middle, :]
            np.minimum(table, through, out=table)
    return steps


@cache
def element_index() -> np.ndarray:
    """Index into ``ELEMENTS`` of each slot: int64, shape (20, 15); 0 where there is no atom."""
    table = np.zeros((len(NAMES), N_SLOTS), dtype=np.int64)
    for residue, names in enumerate(ATOM_SLOTS):
        table[residue, : len(names)] = [ELEMENTS.index(name[0]) for name in names]
    table[:, OXT_SLOT] = ELEMENTS.index("O")
    return table
