"""Cyclic peptides in OpenMM: residues in mid-chain, bonded where the chain closes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

openmm = pytest.importorskip("openmm")

from latcpb_cli.md.changes import count_isomerized_peptides  # noqa: E402
from latcpb_cli.md.molecule import heavy_molecule  # noqa: E402
from latcpb_cli.md.protonation import protonate  # noqa: E402
from latcpb_cli.md.system import hydrogen_system  # noqa: E402
from latcpb_cli.structure import AtomTopology  # noqa: E402


def molecule_of(sequence: str, *, cyclic: bool):
    trace = replace(structure(sequence).trace, cyclic_chains=(0,) if cyclic else ())
    return protonate(heavy_molecule(AtomTopology.heavy_atoms(trace)), 7.0)


def n_terms(system, kind) -> int:
    """Harmonic bonds or angles that have a force."""
    (force,) = (force for force in system.getForces() if isinstance(force, kind))
    if kind is openmm.HarmonicBondForce:
        return sum(force.getBondParameters(i)[3]._value > 0 for i in range(force.getNumBonds()))
    return sum(force.getAngleParameters(i)[4]._value > 0 for i in range(force.getNumAngles()))


@pytest.mark.parametrize("sequence", ["GAKLSF", "PAKLSG"])
def test_a_ring_has_no_ends(sequence):
    ring, line = (molecule_of(sequence, cyclic=cyclic) for cyclic in (True, False))
    names = {name for name in ring.topology.names if name in ("H1", "H2", "H3", "OXT")}
    assert names == set()
    # The linear peptide has OXT and, at N, two more hydrogens, each with a bond; the ring has C-N.
    assert len(line.topology) - len(ring.topology) == 3
    assert len(line.bonds) - len(ring.bonds) == 3 - 1
    bonds = {frozenset((atom.residue.index, atom.name) for atom in bond) for bond in ring.to_openmm().bonds()}
    assert frozenset([(5, "C"), (0, "N")]) in bonds


def test_the_force_field_knows_a_ring_and_an_open_frame_has_no_terms_across_it():
    ring, closed, opened = (
        molecule_of("GAKLSF", cyclic=True),
        np.zeros(6, dtype=bool),
        np.zeros(6, dtype=bool),
    )
    opened[5] = True
    systems = [hydrogen_system(ring, "amber14", broken) for broken in (closed, opened)]
    bonds, angles = (
        [n_terms(system, kind) for system in systems]
        for kind in (openmm.HarmonicBondForce, openmm.HarmonicAngleForce)
    )
    assert bonds[0] - bonds[1] == 1
    # CA-C-N, O-C-N, C-N-CA, C-N-H
    assert angles[0] - angles[1] == 4


def test_cis_trans_changes_of_the_closing_peptide_are_counted():
    trans, cis = np.zeros((6, 15, 3)), np.zeros((6, 15, 3))
    for atoms, side in ((trans, -1.0), (cis, 1.0)):
        atoms[5, 1], atoms[5, 2], atoms[0, 0] = (1.0, 1.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.3)
        atoms[0, 1] = (side, side, 2.0)
    linked, following = np.array([False] * 5 + [True]), np.array([1, 2, 3, 4, 5, 0])
    assert count_isomerized_peptides(trans, cis, linked, following) == 1
