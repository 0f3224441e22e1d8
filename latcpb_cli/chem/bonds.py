"""Covalent bonds, bond angles and topological distances inside the twenty amino acids."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Int

from latcpb_cli.chem.residues import (
    ATOM_SLOTS,
    C_SLOT,
    CA_SLOT,
    ELEMENTS,
    N_SLOT,
    N_SLOTS,
    NAMES,
    O_SLOT,
    OXT_SLOT,
    SIDECHAIN_BONDS,
)

__all__ = ["FAR", "bond_steps", "element_index", "intra_bonds", "intra_angles"]

FAR = 9
"""Number of bonds between two atoms in `bond_steps` where no path joins them or one does not exist."""


@cache
def intra_bonds() -> tuple[tuple[tuple[int, int], ...], ...]:
    """Bonds inside each residue type, as pairs of slots; C-OXT is one of them."""
    backbone = ((N_SLOT, CA_SLOT), (CA_SLOT, C_SLOT), (C_SLOT, O_SLOT), (C_SLOT, OXT_SLOT))
    return tuple(
        backbone + tuple((slots.index(a), slots.index(b)) for a, b in bonds)
        for slots, bonds in zip(ATOM_SLOTS, SIDECHAIN_BONDS, strict=True)
    )


@cache
def intra_angles() -> tuple[tuple[tuple[int, int, int], ...], ...]:
    """Bond angles inside each residue type, as triples of slots, the apex in the middle."""
    angles = []
    for bonds in intra_bonds():
        bonded: dict[int, list[int]] = {}
        for a, b in bonds:
            bonded.setdefault(a, []).append(b)
            bonded.setdefault(b, []).append(a)
        angles.append(
            tuple(
                (first, apex, last)
                for apex, ends in sorted(bonded.items())
                for k, first in enumerate(sorted(ends))
                for last in sorted(ends)[k + 1 :]
            )
        )
    return tuple(angles)


@cache
def bond_steps() -> Int[np.ndarray, "20 15 15"]:
    """Number of bonds on the shortest path between two atoms of a residue type.

    Returns
    -------
    numpy.ndarray of int8, shape (20, 15, 15)
        0 on the diagonal, ``FAR`` where the residue type lacks one of the two atoms.
    """
    steps = np.full((len(NAMES), N_SLOTS, N_SLOTS), FAR, dtype=np.int8)
    for residue, bonds in enumerate(intra_bonds()):
        for a, b in bonds:
            steps[residue, a, b] = steps[residue, b, a] = 1
    steps[:, range(N_SLOTS), range(N_SLOTS)] = 0
    for middle in range(N_SLOTS):
        through = steps[:, :, middle, None] + steps[:, None, middle, :]
        np.minimum(steps, through, out=steps)
    return steps


@cache
def element_index() -> Int[np.ndarray, "20 15"]:
    """Index into ``ELEMENTS`` of each slot of each residue type; 0 where there is no atom."""
    table = np.zeros((len(NAMES), N_SLOTS), dtype=np.int64)
    for residue, names in enumerate(ATOM_SLOTS):
        table[residue, : len(names)] = [ELEMENTS.index(name[0]) for name in names]
    table[:, OXT_SLOT] = ELEMENTS.index("O")
    return table
