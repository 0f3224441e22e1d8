"""Atom types and their pairs."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.atom_types import ATOM_TYPES, atom_type_pairs, atom_type_table
from latcpb_cli.chem.residues import ATOM_SLOTS, NAMES


def test_the_type_of_every_atom_has_its_element() -> None:
    for residue, atoms in enumerate(ATOM_SLOTS):
        for slot, atom in enumerate(atoms):
            atom_type = ATOM_TYPES[atom_type_table()[residue, slot]]
            element = "C" if atom_type == "CA" else atom_type.rsplit(" ", 1)[-1]
            assert element == atom[0], (NAMES[residue], atom, atom_type)


def test_pairs_are_unordered_and_numbered_without_gaps() -> None:
    pairs = atom_type_pairs()
    assert (pairs == pairs.T).all()
    assert np.unique(pairs).tolist() == list(range(len(ATOM_TYPES) * (len(ATOM_TYPES) + 1) // 2))
