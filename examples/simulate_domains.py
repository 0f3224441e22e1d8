"""Simulate two folded domains and a disordered linker with the CALVADOS 3 model.

Both domains are the N-terminal domain of troponin C (tnc_allatom.pdb). Beads of residues 5 to 85 of each copy
are centres of mass and held by an elastic network: bonds of their own length, and harmonic restraints between
all pairs within 0.9 nm. The other beads are Cα. Model and parameters: F. Cao, S. von Bülow, G. Tesei and
K. Lindorff-Larsen, Protein Science 33, e5172 (2024), doi:10.1002/pro.5172.

Needs ``pip install openmm``. Writes tnc_pair.pdb and tnc_pair.xtc beside this file.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from make_beads import DOMAIN, com_beads
from MDAnalysis import Universe
from openmm import CMMotionRemover, CustomNonbondedForce, HarmonicBondForce, System, Vec3
from openmm.app import Topology, element
from recording import FOLDER, record, start
from simulate_disordered import (
    ASHBAUGH_HATCH,
    BOND_LENGTH,
    BOND_STIFFNESS,
    CHARGE_CUTOFF,
    CONTACT_CUTOFF,
    DEBYE_HUCKEL,
    PARAMETERS,
)

LINKER = "GSTEPQSGDKTAGSEPSNQGTSDKAPGSEG"
STICKINESS = {  # lambda of CALVADOS 3; masses, sizes and charges are those of CALVADOS 2
    "A": 0.3377, "R": 0.7408, "N": 0.3707, "D": 0.0926, "C": 0.5923, "Q": 0.3143, "E": 0.0002, "G": 0.7538,
    "H": 0.4087, "I": 0.5130, "L": 0.5549, "K": 0.1381, "M": 0.5171, "F": 0.8906, "P": 0.3470, "S": 0.4473,
    "T": 0.2672, "W": 1.0335, "Y": 0.9506, "V": 0.2936,
}  # fmt: skip
KELVIN = 300.0
RESTRAINT_STIFFNESS, RESTRAINT_CUTOFF = 700.0, 0.9  # kJ/mol/nm², nm
START_DISTANCE = 8.0  # nm between the ends of the linker
BOX = 20.0  # nm


def domain_beads() -> tuple[str, np.ndarray, np.ndarray]:
    """Sequence, positions (nm) and whether each bead is a centre of mass, of one copy."""
    universe = Universe(str(FOLDER / "tnc_allatom.pdb"))
    residues = universe.residues
    letters = {name: letter for letter, (name, *_) in PARAMETERS.items()}
    positions = np.array([position for _, _, position in com_beads(universe)]) / 10.0
    inside = np.array([residue.resid in DOMAIN for residue in residues])
    return "".join(letters[residue.resname] for residue in residues), positions, inside


def chain() -> tuple[str, np.ndarray, np.ndarray]:
    """Sequence, start positions (nm), and number of the domain of each bead, -1 outside."""
    sequence, first, inside = domain_beads()
    outwards = first[-1] - first.mean(axis=0)
    outwards /= np.linalg.norm(outwards)
    second = (first - first[0]) @ rotation(first[0] - first.mean(axis=0), -outwards).T
    second += first[-1] + START_DISTANCE * outwards
    steps = np.arange(1, len(LINKER) + 1)[:, None] / (len(LINKER) + 1)
    # A zigzag whose bonds have about their length.
    across = np.linalg.svd(outwards[None])[2][1]
    width = math.sqrt(BOND_LENGTH**2 - (START_DISTANCE / (len(LINKER) + 1)) ** 2)
    linker = first[-1] + START_DISTANCE * steps * outwards
    linker += 0.5 * width * np.where(np.arange(len(LINKER)) % 2, 1.0, -1.0)[:, None] * across
    domain = np.concatenate([np.where(inside, 0, -1), np.full(len(LINKER), -1), np.where(inside, 1, -1)])
    positions = np.concatenate([first, linker, second])
    return sequence + LINKER + sequence, positions - positions.mean(axis=0) + BOX / 2, domain


def rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A rotation that turns the direction of one vector into that of another."""
    u, _, v = np.linalg.svd(np.outer(end, start))
    return u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v


def network(positions: np.ndarray, domain: np.ndarray) -> tuple[HarmonicBondForce, list[tuple[int, int]]]:
    """Bonds of the chain and restraints of its domains; pairs that have no other forces."""
    force, pairs = HarmonicBondForce(), []
    for i, j in combinations(range(len(positions)), 2):
        distance = float(np.linalg.norm(positions[j] - positions[i]))
        if j == i + 1:
            folded = domain[i] >= 0 or domain[j] >= 0
            force.addBond(i, j, distance if folded else BOND_LENGTH, BOND_STIFFNESS)
        elif domain[i] == domain[j] >= 0 and distance < RESTRAINT_CUTOFF:
            force.addBond(i, j, distance, RESTRAINT_STIFFNESS)
        else:
            continue
        pairs.append((i, j))
    return force, pairs


def pair_forces(sequence: str, excluded: list[tuple[int, int]]) -> list[CustomNonbondedForce]:
    """Stickiness and electrostatics of all other pairs."""
    stickiness, electrostatics = CustomNonbondedForce(ASHBAUGH_HATCH), CustomNonbondedForce(DEBYE_HUCKEL)
    for name in ("s", "l"):
        stickiness.addPerParticleParameter(name)
    electrostatics.addPerParticleParameter("q")
    for letter in sequence:
        stickiness.addParticle([PARAMETERS[letter][2], STICKINESS[letter]])
        electrostatics.addParticle([PARAMETERS[letter][-1]])
    for force, cutoff in ((stickiness, CONTACT_CUTOFF), (electrostatics, CHARGE_CUTOFF)):
        force.setNonbondedMethod(CustomNonbondedForce.CutoffPeriodic)
        force.setCutoffDistance(cutoff)
        for i, j in excluded:
            force.addExclusion(i, j)
    return [stickiness, electrostatics]


def main() -> None:
    """Simulate 2.2 ns in steps of 10 fs; record a frame every 100 ps of the last 2 ns."""
    sequence, positions, domain = chain()
    topology = Topology()
    chain_a = topology.addChain("A")
    for number, letter in enumerate(sequence, start=1):
        topology.addAtom(
            "CA", element.carbon, topology.addResidue(PARAMETERS[letter][0], chain_a, str(number))
        )
    topology.setUnitCellDimensions(Vec3(BOX, BOX, BOX))
    system = System()
    system.setDefaultPeriodicBoxVectors(*(BOX * np.eye(3)))
    for letter in sequence:
        system.addParticle(PARAMETERS[letter][1])
    bonds, excluded = network(positions, domain)
    for force in (bonds, *pair_forces(sequence, excluded), CMMotionRemover()):
        system.addForce(force)
    simulation = start(topology, system, positions, KELVIN, friction=0.01)
    record(simulation, FOLDER / "tnc_pair.xtc", equilibration=20_000, interval=10_000, frames=20)


if __name__ == "__main__":
    main()
