"""Which atoms a chi angle moves."""

from __future__ import annotations

from latcpb_cli.chem.residues import ATOM_SLOTS, NAMES
from latcpb_cli.chem.zmatrix import chi_moved_mask


def moved_atoms(name: str, chi: int) -> set[str]:
    residue = NAMES.index(name)
    return {ATOM_SLOTS[residue][slot] for slot in chi_moved_mask()[residue, :, chi].nonzero()[0]}


def test_a_chi_angle_moves_the_atoms_beyond_its_bond_and_no_others() -> None:
    assert moved_atoms("LEU", 0) == {"CG", "CD1", "CD2"}
    assert moved_atoms("LEU", 1) == {"CD1", "CD2"}
    assert moved_atoms("ILE", 0) == {"CG1", "CG2", "CD1"}
    assert moved_atoms("ILE", 1) == {"CD1"}
    assert moved_atoms("ARG", 3) == {"CZ", "NH1", "NH2"}
    assert moved_atoms("TRP", 1) == {"CD1", "CD2", "NE1", "CE2", "CE3", "CZ2", "CZ3", "CH2"}
    assert moved_atoms("ALA", 0) == moved_atoms("GLY", 0) == moved_atoms("SER", 1) == set()
