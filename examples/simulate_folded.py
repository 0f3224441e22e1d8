"""Simulate a folded protein, the N-terminal domain of troponin C, as a Cα Gō model.

The structure-based model of C. Clementi, H. Nymeyer and J. N. Onuchic,
J. Mol. Biol. 298, 937 (2000): harmonic bonds and angles, dihedrals with one and
three minima, 12-10 native contacts, repulsion between all other pairs (here
from the third neighbour on, so that turns stay open).

Needs ``pip install openmm`` and ``pip install --no-deps openmmtools``, which
ships the native structure: PDB entry 1AP4, model 14. Writes tnc.pdb and
tnc.dcd beside this file.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from openmm import (
    CMMotionRemover,
    CustomBondForce,
    CustomNonbondedForce,
    HarmonicAngleForce,
    HarmonicBondForce,
    PeriodicTorsionForce,
    System,
    Vec3,
)
from openmm.app import Modeller, PDBFile, Topology, element
from openmm.unit import nanometer
from recording import FOLDER, record, start

__all__ = ["load_native"]

EPSILON = 2.5  # kJ/mol; the protein is stable at 300 K
KELVIN = 300.0
MASS = 110.0  # Da, a mean residue
CONTACT_CUTOFF = 0.55  # nm between heavy atoms
EXCLUDED_RADIUS = 0.40  # nm
BOX = 8.0  # nm


def load_native() -> Modeller:
    """Load the protein of the structure file that openmmtools ships, without water and ions."""
    package = find_spec("openmmtools")
    if package is None or package.submodule_search_locations is None:
        raise SystemExit("openmmtools is missing. Try: pip install --no-deps openmmtools")
    folder = Path(package.submodule_search_locations[0])
    pdb = PDBFile(str(folder / "data" / "amoeba" / "1AP4_14_wat.pdb"))
    native = Modeller(pdb.topology, pdb.positions)
    names = {atom.residue: set() for atom in pdb.topology.atoms()}
    for atom in pdb.topology.atoms():
        names[atom.residue].add(atom.name)
    native.delete([residue for residue, atoms in names.items() if not {"N", "CA", "C"} <= atoms])
    return native


def native_contacts(native: Modeller) -> list[tuple[int, int]]:
    """Find pairs of residues, four or more apart, with heavy atoms within the cutoff."""
    positions = np.array(native.positions.value_in_unit(nanometer))
    heavy = [
        positions[[atom.index for atom in residue.atoms() if atom.element is not element.hydrogen]]
        for residue in native.topology.residues()
    ]
    return [
        (i, j)
        for i in range(len(heavy))
        for j in range(i + 4, len(heavy))
        if np.linalg.norm(heavy[i][:, None] - heavy[j], axis=-1).min() < CONTACT_CUTOFF
    ]


def bead_topology(native: Modeller) -> Topology:
    """Create the Cα beads of the native structure in a cubic box."""
    topology = Topology()
    chain = topology.addChain("A")
    for residue in native.topology.residues():
        bead = topology.addResidue(residue.name, chain, residue.id)
        topology.addAtom("CA", element.carbon, bead)
    topology.setUnitCellDimensions(Vec3(BOX, BOX, BOX))
    return topology


def angle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """Angle at b, in radians."""
    u, v = a - b, c - b
    return float(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))


def dihedral(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> float:
    """Dihedral about b-c, in radians."""
    axis = (c - b) / np.linalg.norm(c - b)
    normal, plane = np.cross(b - a, axis), np.cross(axis, d - c)
    return float(np.arctan2(axis @ np.cross(normal, plane), normal @ plane))


def chain_forces(beads: np.ndarray) -> tuple[HarmonicBondForce, HarmonicAngleForce, PeriodicTorsionForce]:
    """Create bonds, angles and dihedrals with minima at their native values."""
    bonds, angles, dihedrals = HarmonicBondForce(), HarmonicAngleForce(), PeriodicTorsionForce()
    for i in range(len(beads) - 1):
        bonds.addBond(i, i + 1, np.linalg.norm(beads[i + 1] - beads[i]), 20_000 * EPSILON)
    for i in range(len(beads) - 2):
        angles.addAngle(i, i + 1, i + 2, angle(*beads[i : i + 3]), 40 * EPSILON)
    for i in range(len(beads) - 3):
        native = dihedral(*beads[i : i + 4])
        for minima, strength in ((1, EPSILON), (3, EPSILON / 2)):
            # OpenMM computes 1 + cos: a phase of half a turn puts the minimum on the native angle.
            dihedrals.addTorsion(i, i + 1, i + 2, i + 3, minima, minima * native + np.pi, strength)
    return bonds, angles, dihedrals


def pair_forces(
    beads: np.ndarray, contacts: list[tuple[int, int]]
) -> list[CustomBondForce | CustomNonbondedForce]:
    """Create the attraction of native pairs and the repulsion of all others."""
    attraction = CustomBondForce(f"{EPSILON}*(5*(r0/r)^12 - 6*(r0/r)^10)")
    attraction.addPerBondParameter("r0")
    repulsion = CustomNonbondedForce(f"{EPSILON}*({EXCLUDED_RADIUS}/r)^12")
    repulsion.setNonbondedMethod(CustomNonbondedForce.CutoffNonPeriodic)
    repulsion.setCutoffDistance(3 * EXCLUDED_RADIUS)
    for _ in beads:
        repulsion.addParticle([])
    repulsion.createExclusionsFromBonds([(i, i + 1) for i in range(len(beads) - 1)], 2)
    for i, j in contacts:
        attraction.addBond(i, j, [np.linalg.norm(beads[j] - beads[i])])
        repulsion.addExclusion(i, j)
    return attraction, repulsion


def main() -> None:
    """Simulate 2.1 ns in steps of 10 fs; record a frame every 20 ps of the last 2 ns."""
    native = load_native()
    positions = np.array(native.positions.value_in_unit(nanometer))
    beads = positions[[atom.index for atom in native.topology.atoms() if atom.name == "CA"]]
    system = System()
    system.setDefaultPeriodicBoxVectors(*(BOX * np.eye(3)))
    for _ in beads:
        system.addParticle(MASS)
    for force in (*chain_forces(beads), *pair_forces(beads, native_contacts(native)), CMMotionRemover()):
        system.addForce(force)
    centred = beads - beads.mean(axis=0) + BOX / 2
    simulation = start(bead_topology(native), system, centred, KELVIN, friction=1.0)
    record(simulation, FOLDER / "tnc.dcd", equilibration=10_000, interval=2_000, frames=100)


if __name__ == "__main__":
    main()
