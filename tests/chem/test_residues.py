"""Constants of the twenty amino acids agree with each other."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem import residues
from latcpb_cli.chem.residues import (
    ATOM_SLOTS,
    BACKBONE_SLOTS,
    GAMMA_SLOT,
    LETTERS,
    NAMES,
    letter_index,
    slot_mask,
    slot_of,
    swap_slots,
)


def test_residue_indices_and_slots_follow_names_and_atom_names() -> None:
    assert [getattr(residues, name) for name in NAMES] == list(range(20))
    assert letter_index(LETTERS).tolist() == list(range(20))
    for atom in ("N", "CA", "C", "O", "CB"):
        assert {slot_of(name, atom) for name in NAMES if (name, atom) != ("GLY", "CB")} == {
            getattr(residues, f"{atom}_SLOT")
        }
    assert {ATOM_SLOTS[0][slot] for slot in BACKBONE_SLOTS} == {"N", "C", "O"}
    assert {atoms[GAMMA_SLOT] for atoms in ATOM_SLOTS if len(atoms) > GAMMA_SLOT} == {
        "CG",
        "CG1",
        "OG",
        "OG1",
        "SG",
    }


def test_swapping_a_symmetric_group_twice_restores_it_and_stays_within_the_residue() -> None:
    slots, rows = swap_slots(), np.arange(20)[:, None]
    assert (slots[rows, slots] == np.arange(15)).all()
    assert (slot_mask()[rows, slots] == slot_mask()).all()
    symmetric = {NAMES[residue] for residue in np.flatnonzero((slots != np.arange(15)).any(axis=1))}
    assert symmetric == {"ARG", "ASP", "GLU", "PHE", "TYR"}
