"""Which atoms hang on which chi angle."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.internal import chi_moves
from latcpb_cli.chem.residues import ATOM_SLOTS, NAMES


def moved(name: str, chi: int) -> set[str]:
    residue = NAMES.index(name)
    return {ATOM_SLOTS[residue][slot] for slot in np.nonzero(chi_moves()[residue, :, chi])[0]}


def test_everything_beyond_the_bond_turns_and_nothing_before_it() -> None:
    assert moved("LEU", 0) == {"CG", "CD1", "CD2"}
    assert moved("LEU", 1) == {"CD1", "CD2"}
    assert moved("ILE", 0) == {"CG1", "CG2", "CD1"}
    assert moved("ILE", 1) == {"CD1"}
    assert moved("ARG", 3) == {"CZ", "NH1", "NH2"}
    assert moved("TRP", 1) == {"CD1", "CD2", "NE1", "CE2", "CE3", "CZ2", "CZ3", "CH2"}
    assert moved("ALA", 0) == moved("GLY", 0) == moved("SER", 1) == set()
