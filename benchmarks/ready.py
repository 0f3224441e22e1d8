"""A structure file as a user of OpenMM meets it: force field, minimisation, dynamics."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openmm
from openmm import app, unit

from latcpb_cli.md.solvent import add_obc2

STEP_PS = 0.004
HYDROGEN_MASS = 1.5  # Da, so that steps of 4 fs are possible
TEMPERATURE = 300.0
CENTRES = {
    "CA": ("N", "C", "CB"),
    "CB": ("CA", "OG1", "CG2"),
    "CB ": ("CA", "CG1", "CG2"),
}
"""Chiral atoms (Cα; Cβ of Thr and Ile) with three neighbours; the blank tells the two Cβ apart."""


@dataclass(frozen=True)
class Verdict:
    """What became of a file; energies in kJ/mol."""

    atoms: int
    before: float
    after: float
    hands: int
    peptides: int
    dynamics: float
    seconds: float

    HEADER = (
        f"{'':28s}{'atoms':>7s}{'E before':>12s}{'E after':>11s}{'hands':>6s}{'cis/tr':>7s}"
        f"{'E after MD':>12s}{'built s':>8s}{'OpenMM s':>9s}"
    )

    @property
    def sound(self) -> bool:
        """Whether all went well: finite energies, nothing turned."""
        finite = np.isfinite([self.before, self.after, self.dynamics]).all()
        return bool(finite and self.after < self.before and not self.hands and not self.peptides)

    def line(self, label: str, built: float) -> str:
        """Format one row under ``HEADER``."""
        return (
            f"{label[:28]:28s}{self.atoms:7d}{self.before:12.0f}{self.after:11.0f}{self.hands:6d}"
            f"{self.peptides:7d}{self.dynamics:12.0f}{built:8.1f}{self.seconds:9.0f}"
            f"{'' if self.sound else '  NOT SOUND'}"
        )


def judge(
    path: Path, steps: int = 1000, ps: float = 10.0, force_field: str = "amber14/protein.ff14SB.xml"
) -> Verdict:
    """Load a PDB file with hydrogens, minimise it, and run dynamics, in implicit solvent (OBC2)."""
    started = time.perf_counter()
    pdb = app.PDBFile(str(path))
    system = app.ForceField(force_field).createSystem(
        pdb.topology,
        nonbondedMethod=app.CutoffNonPeriodic,
        nonbondedCutoff=1.2 * unit.nanometer,
        constraints=app.HBonds,
        hydrogenMass=HYDROGEN_MASS,
    )
    add_obc2(system, pdb.topology)
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, 1.0, STEP_PS)
    integrator.setRandomNumberSeed(1)
    simulation = app.Simulation(pdb.topology, system, integrator)
    simulation.context.setPositions(pdb.positions)
    before, start = _state(simulation)
    simulation.minimizeEnergy(maxIterations=steps)
    after, end = _state(simulation)
    signs = [_hands(pdb.topology, points) for points in (start, end)]
    bends = [_cis(pdb.topology, points) for points in (start, end)]
    simulation.context.setVelocitiesToTemperature(TEMPERATURE, 1)
    simulation.step(round(ps / STEP_PS))
    return Verdict(
        atoms=pdb.topology.getNumAtoms(),
        before=before,
        after=after,
        hands=int((signs[0] != signs[1]).sum()),
        peptides=int((bends[0] != bends[1]).sum()),
        dynamics=_state(simulation)[0],
        seconds=time.perf_counter() - started,
    )


def _state(simulation: app.Simulation) -> tuple[float, np.ndarray]:
    state = simulation.context.getState(energy=True, positions=True)
    energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
    return energy, state.getPositions(asNumpy=True).value_in_unit(unit.nanometer)


def _hands(topology: app.Topology, points: np.ndarray) -> np.ndarray:
    signs = []
    for residue in topology.residues():
        row = {atom.name: atom.index for atom in residue.atoms()}
        for centre, others in CENTRES.items():
            if all(name in row for name in others):
                middle = points[row[centre.strip()]]
                signs.append(np.sign(np.linalg.det(points[[row[name] for name in others]] - middle)))
    return np.array(signs)


def _cis(topology: app.Topology, points: np.ndarray) -> np.ndarray:
    """Whether the Cα on both sides of each peptide bond are on the same side of it."""
    found = []
    for one, other in topology.bonds():
        if {one.name, other.name} == {"C", "N"} and one.residue != other.residue:
            c, n = (one, other) if one.name == "C" else (other, one)
            ca = [next(a.index for a in atom.residue.atoms() if a.name == "CA") for atom in (c, n)]
            axis = points[n.index] - points[c.index]
            arms = [
                np.cross(points[ca[0]] - points[c.index], axis),
                np.cross(points[ca[1]] - points[n.index], axis),
            ]
            found.append(float(arms[0] @ arms[1]) > 0)
    return np.array(found)
