"""Start OpenMM simulations and record their frames; shared by the three scripts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from openmm import LangevinMiddleIntegrator, Platform, System, unit
from openmm.app import DCDReporter, PDBFile, Simulation, Topology, XTCReporter

__all__ = ["FOLDER", "record", "start"]

FOLDER = Path(__file__).resolve().parent
REPORTERS = {".xtc": XTCReporter, ".dcd": DCDReporter}


def start(
    topology: Topology,
    system: System,
    positions: unit.Quantity | np.ndarray,
    kelvin: float,
    friction: float,
    step: float = 0.01,
) -> Simulation:
    """Set up a minimised simulation with random velocities, on one CPU thread.

    Parameters
    ----------
    topology : openmm.app.Topology
    system : openmm.System
    positions : openmm.unit.Quantity, shape (N, 3)
        Or an array in nm.
    kelvin : float
    friction, step : float
        In 1/ps and ps.
    """
    integrator = LangevinMiddleIntegrator(kelvin, friction, step)
    integrator.setRandomNumberSeed(1)
    platform = Platform.getPlatformByName("CPU")
    simulation = Simulation(topology, system, integrator, platform, {"Threads": "1"})
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy(maxIterations=50)
    simulation.context.setVelocitiesToTemperature(kelvin, 1)
    return simulation


def record(simulation: Simulation, trajectory: Path, equilibration: int, interval: int, frames: int) -> None:
    """Equilibrate, then write a trajectory and a PDB of its first frame beside it.

    Parameters
    ----------
    simulation : openmm.app.Simulation
    trajectory : pathlib.Path
        An .xtc or .dcd file; the topology is the .pdb of the same name.
    equilibration, interval : int
        Steps before the first frame, and steps between two frames.
    frames : int
        Number of frames to write.
    """
    simulation.step(equilibration)
    simulation.context.setTime(0.0)
    simulation.currentStep = 0
    simulation.reporters.append(
        REPORTERS[trajectory.suffix](str(trajectory), interval, enforcePeriodicBox=False)
    )
    simulation.step(interval)
    positions = simulation.context.getState(positions=True).getPositions()
    with trajectory.with_suffix(".pdb").open("w") as file:
        PDBFile.writeFile(simulation.topology, positions, file, keepIds=True)
    simulation.step(interval * (frames - 1))
