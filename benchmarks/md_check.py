"""Checks of a structure file in OpenMM: force field, minimisation, dynamics."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openmm
from openmm import app, unit

from latcpb_cli.md.solvent import add_obc2

__all__ = ["MdCheck", "check_md_start"]

TIME_STEP = 0.004  # ps
HYDROGEN_MASS = 1.5  # Da, so that steps of 4 fs are possible
TEMPERATURE = 300.0
CUTOFF = 1.2  # nm
FORCE_FIELD = "amber14/protein.ff14SB.xml"
CHIRAL_CENTERS = (
    ("CA", ("N", "C", "CB")),
    ("CB", ("CA", "OG1", "CG2")),
    ("CB", ("CA", "CG1", "CG2")),
)
"""Chiral atoms (Cα; Cβ of Thr and Ile) with three of their neighbours."""


@dataclass(frozen=True)
class MdCheck:
    """Result of the checks of one file.

    Attributes
    ----------
    n_atoms : int
    built_energy, minimized_energy, dynamics_energy : float
        Potential energy (kJ/mol) of the file, after minimisation, and after dynamics.
    inverted_centers, flipped_peptides : int
        Chiral centres that change their hand, and peptides that change between cis and trans, in
        minimisation.
    seconds : float
        Of all checks.
    """

    n_atoms: int
    built_energy: float
    minimized_energy: float
    dynamics_energy: float
    inverted_centers: int
    flipped_peptides: int
    seconds: float

    HEADER = (
        f"{'':28s}{'atoms':>7s}{'E before':>12s}{'E after':>11s}{'hands':>6s}{'cis/tr':>7s}"
        f"{'E after MD':>12s}{'built s':>8s}{'OpenMM s':>9s}"
    )

    @property
    def passed(self) -> bool:
        """Whether energies are finite and fall, and no centre or peptide changes."""
        finite = np.isfinite([self.built_energy, self.minimized_energy, self.dynamics_energy]).all()
        unchanged = not self.inverted_centers and not self.flipped_peptides
        return bool(finite and self.minimized_energy < self.built_energy and unchanged)

    def line(self, label: str, build_seconds: float) -> str:
        """Format one row under ``HEADER``."""
        return (
            f"{label[:28]:28s}{self.n_atoms:7d}{self.built_energy:12.0f}{self.minimized_energy:11.0f}"
            f"{self.inverted_centers:6d}{self.flipped_peptides:7d}{self.dynamics_energy:12.0f}"
            f"{build_seconds:8.1f}{self.seconds:9.0f}{'' if self.passed else '  FAILED'}"
        )


def check_md_start(
    path: Path, steps: int = 1000, picoseconds: float = 10.0, force_field: str = FORCE_FIELD
) -> MdCheck:
    """Load a PDB file with hydrogens, minimise it, and run dynamics, in implicit solvent (OBC2).

    ``force_field`` is a parameter file of OpenMM.
    """
    started = time.perf_counter()
    pdb = app.PDBFile(str(path))
    simulation = _simulation(pdb, force_field)
    built_energy, built = _state(simulation)
    simulation.minimizeEnergy(maxIterations=steps)
    minimized_energy, minimized = _state(simulation)
    hands = [_chirality(pdb.topology, positions) for positions in (built, minimized)]
    cis = [_is_cis(pdb.topology, positions) for positions in (built, minimized)]
    simulation.context.setVelocitiesToTemperature(TEMPERATURE, 1)
    simulation.step(round(picoseconds / TIME_STEP))
    return MdCheck(
        n_atoms=pdb.topology.getNumAtoms(),
        built_energy=built_energy,
        minimized_energy=minimized_energy,
        dynamics_energy=_state(simulation)[0],
        inverted_centers=int((hands[0] != hands[1]).sum()),
        flipped_peptides=int((cis[0] != cis[1]).sum()),
        seconds=time.perf_counter() - started,
    )


def _simulation(pdb: app.PDBFile, force_field: str) -> app.Simulation:
    system = app.ForceField(force_field).createSystem(
        pdb.topology,
        nonbondedMethod=app.CutoffNonPeriodic,
        nonbondedCutoff=CUTOFF * unit.nanometer,
        constraints=app.HBonds,
        hydrogenMass=HYDROGEN_MASS,
    )
    add_obc2(system, pdb.topology)
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, 1.0, TIME_STEP)
    integrator.setRandomNumberSeed(1)
    simulation = app.Simulation(pdb.topology, system, integrator)
    simulation.context.setPositions(pdb.positions)
    return simulation


def _state(simulation: app.Simulation) -> tuple[float, np.ndarray]:
    """Potential energy (kJ/mol) and positions (nm)."""
    state = simulation.context.getState(energy=True, positions=True)
    energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
    return energy, state.getPositions(asNumpy=True).value_in_unit(unit.nanometer)


def _chirality(topology: app.Topology, positions: np.ndarray) -> np.ndarray:
    """Sign of the handedness of each chiral centre."""
    signs = []
    for residue in topology.residues():
        rows = {atom.name: atom.index for atom in residue.atoms()}
        for center, neighbors in CHIRAL_CENTERS:
            if all(name in rows for name in (center, *neighbors)):
                arms = positions[[rows[name] for name in neighbors]] - positions[rows[center]]
                signs.append(np.sign(np.linalg.det(arms)))
    return np.array(signs)


def _is_cis(topology: app.Topology, positions: np.ndarray) -> np.ndarray:
    """Whether the Cα on both sides of each peptide bond are on the same side of it."""
    cis = []
    for one, other in topology.bonds():
        if {one.name, other.name} == {"C", "N"} and one.residue != other.residue:
            c, n = (one, other) if one.name == "C" else (other, one)
            ca = [next(a.index for a in atom.residue.atoms() if a.name == "CA") for atom in (c, n)]
            axis = positions[n.index] - positions[c.index]
            arms = [
                np.cross(positions[ca[0]] - positions[c.index], axis),
                np.cross(positions[ca[1]] - positions[n.index], axis),
            ]
            cis.append(float(arms[0] @ arms[1]) > 0)
    return np.array(cis)
