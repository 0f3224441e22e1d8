"""Which atoms each chi angle moves."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.chem.residues import NAMES, slot_of
from latcpb_cli.relax.chi_joints import CHI_RANGES, chi_tables

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "chi", "axis", "moved_atoms"),
    [
        ("VAL", 0, ("CA", "CB"), {"CG1", "CG2"}),
        ("LEU", 1, ("CB", "CG"), {"CD1", "CD2"}),
        ("PHE", 1, ("CB", "CG"), {"CD1", "CD2", "CE1", "CE2", "CZ"}),
        ("ARG", 3, ("CD", "NE"), {"CZ", "NH1", "NH2"}),
        ("MET", 0, ("CA", "CB"), {"CG", "SD", "CE"}),
    ],
)
def test_axes_and_moved_atoms(name: str, chi: int, axis: tuple[str, str], moved_atoms: set[str]) -> None:
    residue = NAMES.index(name)
    axis_slots, moved, is_joint = chi_tables(CPU)
    assert is_joint[residue, chi]
    assert axis_slots[residue, chi].tolist() == [slot_of(name, atom) for atom in axis]
    slots = moved[residue, chi].nonzero().flatten().tolist()
    assert slots == sorted(slot_of(name, atom) for atom in moved_atoms)


@pytest.mark.parametrize("name", ["PRO", "GLY", "ALA"])
def test_residues_without_joints(name: str) -> None:
    _, moved, is_joint = chi_tables(CPU)
    assert not is_joint[NAMES.index(name)].any()
    assert not moved[NAMES.index(name)].any()


def test_ranges_are_the_smallest_that_hold_all_moved_atoms() -> None:
    _, moved, _ = chi_tables(CPU)
    for chi, slots in enumerate(CHI_RANGES):
        used = moved[:, chi].any(0).nonzero().flatten()
        assert (slots.start, slots.stop) == (int(used.min()), int(used.max()) + 1)
