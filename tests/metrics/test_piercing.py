"""Bonds through rings."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import build

from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, letter_index
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.metrics.piercing import find_pierced_rings, find_rings
from latcpb_cli.metrics.terms import bond_terms


def upright_bond(corners):
    """Ends (2, 3) of a bond of 1.5 Å through the middle of a ring, perpendicular to it."""
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    normal *= 0.75 / np.linalg.norm(normal)
    return corners.mean(axis=0) + np.stack([-normal, normal])


def ring_and_bond(letter, ring=0):
    """A residue with rings and an alanine of CA and CB alone, whose bond pierces one of the rings."""
    atoms, present = build(f"{letter}A")
    types = letter_index(f"{letter}A")
    present[1] = False
    present[1, [CA_SLOT, CB_SLOT]] = True
    rings = find_rings(types, present)
    atoms[1, [CA_SLOT, CB_SLOT]] = upright_bond(atoms[0, rings.slots[ring]])
    return rings, bond_terms(types, present), atoms[None], np.zeros((1, 2), dtype=bool)


@pytest.mark.parametrize(("letter", "ring"), [("F", 0), ("Y", 0), ("H", 0), ("P", 0), ("W", 0), ("W", 1)])
def test_a_bond_through_a_ring_is_found_and_one_beside_it_is_not(letter, ring):
    rings, bonds, atoms, linked = ring_and_bond(letter, ring)
    assert find_pierced_rings(rings, bonds, atoms, linked).tolist() == [[0, ring, 0, 1]]
    centres = atoms[0, 0, rings.slots].mean(axis=1)
    # Away from the other ring of tryptophan, or from the middle of the only one towards an atom.
    away = centres[ring] - centres[1 - ring] if letter == "W" else atoms[0, 0, rings.slots[0, 1]] - centres[0]
    atoms[:, 1] += 2.5 * away / np.linalg.norm(away)
    assert len(find_pierced_rings(rings, bonds, atoms, linked)) == 0


@pytest.mark.parametrize("box", [[30, 30, 30, 90, 90, 90], [30, 32, 34, 75, 100, 80]])
def test_periodic_images_of_bonds_pierce_rings(box):
    cells = box_vectors(np.array([box], dtype=float))
    cell = cells[0]
    rings, bonds, atoms, linked = ring_and_bond("F")
    atoms[:, 1] += (cell[0] - 2 * cell[1] + cell[2]).astype(np.float32)
    assert len(find_pierced_rings(rings, bonds, atoms, linked)) == 0
    assert find_pierced_rings(rings, bonds, atoms, linked, cells).tolist() == [[0, 0, 0, 1]]


def test_each_frame_has_its_own_bonds_through_rings():
    rings, bonds, atoms, linked = ring_and_bond("W")
    beside = atoms + np.float32([0, 0, 0])
    beside[:, 1] += 20.0
    frames = np.concatenate([beside, atoms, beside, atoms])
    found = find_pierced_rings(rings, bonds, frames, np.repeat(linked, 4, axis=0))
    assert found.tolist() == [[1, 0, 0, 1], [3, 0, 0, 1]]
