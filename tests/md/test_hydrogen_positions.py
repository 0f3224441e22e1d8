"""Ideal positions of hydrogens."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure

pytest.importorskip("openmm")

from latcpb_cli.chem.residues import CA_SLOT, LETTERS  # noqa: E402
from latcpb_cli.md.hydrogen_positions import HydrogenPlacer  # noqa: E402
from latcpb_cli.md.molecule import Molecule, heavy_molecule  # noqa: E402
from latcpb_cli.md.protonation import protonate  # noqa: E402
from latcpb_cli.structure import AtomTopology  # noqa: E402

MAX_BOND_LENGTH = {"C": 1.10, "N": 1.04, "O": 0.98, "S": 1.36}
EXTENDED = {"phi": -120.0, "psi": 130.0}


def protonated(sequence: str) -> tuple[Molecule, np.ndarray]:
    """An ideal peptide with hydrogens, and positions (1, N, 3) with all hydrogens at Cα."""
    built = structure(sequence, **EXTENDED)
    molecule = protonate(heavy_molecule(AtomTopology.heavy_atoms(built.trace)), 7.0)
    topology = molecule.topology
    slots = np.where(molecule.heavy, topology.slot, CA_SLOT)
    return molecule, built.atoms[:, topology.residue, slots]


@pytest.mark.parametrize("sequence", [LETTERS, "PG", "G", "K"])
def test_hydrogens_are_at_their_parents_and_away_from_other_atoms(sequence: str) -> None:
    molecule, points = protonated(sequence)
    topology, heavy = molecule.topology, molecule.heavy
    placed = HydrogenPlacer(molecule).place(points)[0]
    np.testing.assert_array_equal(placed[heavy], points[0, heavy])
    parent = {max(pair): min(pair) for pair in molecule.bonds.tolist() if not heavy[list(pair)].all()}
    distance = np.linalg.norm(placed[:, None] - placed[None], axis=-1)
    # Ideal side chains of neighbours may touch.
    distance[topology.residue[:, None] != topology.residue] = np.inf
    np.fill_diagonal(distance, np.inf)
    for row in np.flatnonzero(~heavy):
        assert distance[row].argmin() == parent[row]
        assert 0.9 < distance[row, parent[row]] < MAX_BOND_LENGTH[topology.elements[parent[row]]]
        # Far from other hydrogens of the parent, and from its other neighbours.
        assert np.sort(distance[row])[1] > 1.5


def test_inverted_hydrogens_are_found() -> None:
    molecule, points = protonated(LETTERS)
    topology, placer = molecule.topology, HydrogenPlacer(molecule)
    placed = placer.place(points)[0]
    assert len(placer.find_inverted(placed, placed)) == 0
    moved = placed.copy()
    for residue, name in ((8, "HB2"), (19, "HA"), (0, "HB1")):
        hydrogen = np.flatnonzero((topology.residue == residue) & (topology.names == name))[0]
        parent = np.flatnonzero((topology.residue == residue) & (topology.names == f"C{name[1]}"))[0]
        moved[hydrogen] = 2 * placed[parent] - placed[hydrogen]
    # HB1 of alanine may be anywhere, because a methyl rotates.
    assert sorted(topology.names[placer.find_inverted(placed, moved)].tolist()) == ["HA", "HB2"]
