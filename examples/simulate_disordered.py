"""Simulate a disordered protein, human 4E-BP2, with the CALVADOS 2 model.

One bead per residue: harmonic Cα-Cα bonds, the Ashbaugh-Hatch potential for
stickiness, Debye-Hückel electrostatics (termini and histidine uncharged).
Model and parameters: G. Tesei and K. Lindorff-Larsen, Open Research Europe 2,
94 (2023), doi:10.12688/openreseurope.14967.2.

Needs ``pip install openmm``. Writes 4ebp2.pdb and 4ebp2.xtc beside this file.
"""

from __future__ import annotations

import math

import numpy as np
from openmm import CMMotionRemover, CustomNonbondedForce, HarmonicBondForce, System, Vec3
from openmm.app import Topology, element
from recording import FOLDER, record, start

SEQUENCE = (  # UniProt Q13542
    "MSSSAGSGHQPSQSRAIPTRTVAISDAAQLPHDYCTTPGGTLFSTTPGGTRIIYDRKFLL"
    "DRRNSPMAQTPPCHLPNIPGVTSPGTLIEDSKVEVNNLNNLNNHDRKHAVGDDAQFEMDI"
)
PARAMETERS = {  # name, mass (Da), sigma (nm), lambda, charge (e)
    "A": ("ALA", 71.07, 0.504, 0.2743, 0),
    "R": ("ARG", 156.19, 0.656, 0.7308, 1),
    "N": ("ASN", 114.10, 0.568, 0.4256, 0),
    "D": ("ASP", 115.09, 0.558, 0.0416, -1),
    "C": ("CYS", 103.14, 0.548, 0.5615, 0),
    "Q": ("GLN", 128.13, 0.602, 0.3934, 0),
    "E": ("GLU", 129.11, 0.592, 0.0007, -1),
    "G": ("GLY", 57.05, 0.450, 0.7059, 0),
    "H": ("HIS", 137.14, 0.608, 0.4664, 0),
    "I": ("ILE", 113.16, 0.618, 0.5424, 0),
    "L": ("LEU", 113.16, 0.618, 0.6440, 0),
    "K": ("LYS", 128.17, 0.636, 0.1790, 1),
    "M": ("MET", 131.20, 0.618, 0.5308, 0),
    "F": ("PHE", 147.18, 0.636, 0.8672, 0),
    "P": ("PRO", 97.12, 0.556, 0.3593, 0),
    "S": ("SER", 87.08, 0.518, 0.4625, 0),
    "T": ("THR", 101.11, 0.562, 0.3713, 0),
    "W": ("TRP", 186.22, 0.678, 0.9894, 0),
    "Y": ("TYR", 163.18, 0.646, 0.9775, 0),
    "V": ("VAL", 99.13, 0.586, 0.2084, 0),
}
KELVIN = 293.0
BOND_LENGTH, BOND_STIFFNESS = 0.38, 8033.0  # nm, kJ/mol/nm²
EPSILON, CONTACT_CUTOFF = 0.8368, 2.0  # kJ/mol, nm
DEBYE_LENGTH, CHARGE_CUTOFF = 0.79, 4.0  # nm; the length is that of 150 mM salt
COULOMB = 138.935 / 78.5  # kJ/mol nm/e², in water
BOX = 50.0  # nm: longer than the stretched chain, so that it has no contact with its image

ASHBAUGH_HATCH = (
    "select(step(r - 2^(1/6)*s), l*(lj - cut), lj + e*(1 - l) - l*cut);"
    f"lj = 4*e*((s/r)^12 - (s/r)^6); cut = 4*e*((s/{CONTACT_CUTOFF})^12 - (s/{CONTACT_CUTOFF})^6);"
    f"s = (s1 + s2)/2; l = (l1 + l2)/2; e = {EPSILON}"
)
DEBYE_HUCKEL = (
    f"{COULOMB}*q1*q2*(exp(-r/{DEBYE_LENGTH})/r - {math.exp(-CHARGE_CUTOFF / DEBYE_LENGTH) / CHARGE_CUTOFF})"
)


def chain_topology() -> Topology:
    """Create one chain of Cα beads in a cubic box."""
    topology = Topology()
    chain = topology.addChain("A")
    for number, letter in enumerate(SEQUENCE, start=1):
        residue = topology.addResidue(PARAMETERS[letter][0], chain, str(number))
        topology.addAtom("CA", element.carbon, residue)
    topology.setUnitCellDimensions(Vec3(BOX, BOX, BOX))
    return topology


def pair_forces() -> tuple[CustomNonbondedForce, CustomNonbondedForce]:
    """Create the stickiness of all beads and the electrostatics of charged ones."""
    stickiness = CustomNonbondedForce(ASHBAUGH_HATCH)
    electrostatics = CustomNonbondedForce(DEBYE_HUCKEL)
    for name in ("s", "l"):
        stickiness.addPerParticleParameter(name)
    electrostatics.addPerParticleParameter("q")
    for letter in SEQUENCE:
        _, _, sigma, stick, charge = PARAMETERS[letter]
        stickiness.addParticle([sigma, stick])
        electrostatics.addParticle([charge])
    charged = [i for i, letter in enumerate(SEQUENCE) if PARAMETERS[letter][-1]]
    electrostatics.addInteractionGroup(charged, charged)
    for force, cutoff in ((stickiness, CONTACT_CUTOFF), (electrostatics, CHARGE_CUTOFF)):
        force.setNonbondedMethod(CustomNonbondedForce.CutoffNonPeriodic)
        force.setCutoffDistance(cutoff)
        force.createExclusionsFromBonds([(i, i + 1) for i in range(len(SEQUENCE) - 1)], 1)
    return stickiness, electrostatics


def chain_system() -> System:
    """Create the system with masses, bonds and pair forces."""
    system = System()
    system.setDefaultPeriodicBoxVectors(*(BOX * np.eye(3)))
    for letter in SEQUENCE:
        system.addParticle(PARAMETERS[letter][1])
    bonds = HarmonicBondForce()
    for i in range(len(SEQUENCE) - 1):
        bonds.addBond(i, i + 1, BOND_LENGTH, BOND_STIFFNESS)
    for force in (bonds, *pair_forces(), CMMotionRemover()):
        system.addForce(force)
    return system


def random_walk(seed: int = 2) -> np.ndarray:
    """Sample a start conformation in the middle of the box: (L, 3), in nm."""
    rng = np.random.default_rng(seed)
    steps = [np.array([1.0, 0.0, 0.0])]
    for _ in SEQUENCE[2:]:
        # With half of the last direction, the walk is about as extended as a disordered chain.
        step = steps[-1] + rng.normal(size=3) / math.sqrt(3)
        steps.append(step / np.linalg.norm(step))
    walk = np.vstack([np.zeros(3), BOND_LENGTH * np.cumsum(steps, axis=0)])
    return walk - walk.mean(axis=0) + BOX / 2


def main() -> None:
    """Simulate 5.5 ns in steps of 10 fs; record a frame every 50 ps of the last 5 ns."""
    simulation = start(chain_topology(), chain_system(), random_walk(), KELVIN, friction=0.01)
    record(simulation, FOLDER / "4ebp2.xtc", equilibration=50_000, interval=5_000, frames=100)


if __name__ == "__main__":
    main()
