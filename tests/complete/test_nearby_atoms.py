"""Atoms around a residue."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.complete.nearby_atoms import find_nearby_atoms


def row_of_residues(x: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Residues with two atoms, N and CA, along the x axis."""
    atoms = np.zeros((len(x), 3, 3), dtype=np.float32)
    atoms[:, :, 0] = np.array(x)[:, None] + [[-1.0, 0.0, 0.0]]
    return atoms, np.tile([True, True, False], (len(x), 1))


def test_residues_are_chosen_by_ca_distance_and_their_own_atoms_are_included() -> None:
    atoms, present = row_of_residues([0.0, 5.0, 11.0])
    nearby = find_nearby_atoms(atoms, 1, present, np.zeros((3, 3)), 5.5)
    assert nearby.residues.tolist() == [0, 0, 1, 1]
    assert nearby.slots.tolist() == [0, CA_SLOT, 0, CA_SLOT]
    np.testing.assert_array_equal(nearby.points[:, 0], [-1.0, 0.0, 4.0, 5.0])
    own = nearby.select(nearby.residues == 1)
    assert own.points[:, 0].tolist() == [4.0, 5.0]


def test_nearest_images_are_returned() -> None:
    atoms, present = row_of_residues([1.0, 28.0])
    nearby = find_nearby_atoms(atoms, 0, present, np.diag([30.0, 30.0, 30.0]), 4.0)
    np.testing.assert_allclose(nearby.points[:, 0], [0.0, 1.0, -3.0, -2.0])
