"""Minimisation on one platform of OpenMM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import openmm
from jaxtyping import Float
from openmm.unit import kilojoule_per_mole, nanometer

from latcpb_cli.md.system import RESTRAINT_GROUP

__all__ = ["NM_PER_ANGSTROM", "Engine", "MinimizationResult"]

NM_PER_ANGSTROM = 0.1
_TIME_STEP = 0.001
"""ps. Nothing is integrated, but a context must have an integrator."""


@dataclass(frozen=True, eq=False)
class MinimizationResult:
    """Outcome of a minimisation.

    Attributes
    ----------
    positions : numpy.ndarray of float64, shape (N, 3)
        Å.
    energy_before, energy_after : float
        kJ/mol, without restraints.
    """

    positions: Float[np.ndarray, "N 3"]
    energy_before: float
    energy_after: float


class Engine:
    """Minimise on the GPU where the model runs there and OpenMM has CUDA, else on one thread of the CPU.

    Several threads add up forces in an order that changes from call to call, and the results with them.

    Parameters
    ----------
    device : str
        ``cpu``, or a GPU as torch names it (``cuda:1``).

    Attributes
    ----------
    platform : openmm.Platform
    """

    def __init__(self, device: str) -> None:
        names = {openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())}
        self._properties: dict[str, str] = {}
        if device.startswith("cuda") and "CUDA" in names:
            name, index = "CUDA", device.partition(":")[2] or "0"
            self._properties = {"Precision": "mixed", "DeviceIndex": index, "DeterministicForces": "true"}
        elif "CPU" in names:
            name = "CPU"
            self._properties = {"Threads": "1", "DeterministicForces": "true"}
        else:
            name = "Reference"
        self.platform = openmm.Platform.getPlatformByName(name)

    def minimize(
        self,
        system: openmm.System,
        positions: Float[np.ndarray, "N 3"],
        max_steps: int,
        box: Float[np.ndarray, "3 3"] | None = None,
    ) -> MinimizationResult:
        """Minimise the energy of a system.

        Each call uses a context of its own: a context that has processed other
        frames adds up forces in another order, and the result would depend on
        those frames.

        Parameters
        ----------
        system : openmm.System
        positions : numpy.ndarray, shape (N, 3)
            Start in Å, and centres of the restraints.
        max_steps : int
            Maximum number of minimisation steps.
        box : numpy.ndarray, shape (3, 3), optional
            Box vectors as rows, nm.
        """
        points = positions * NM_PER_ANGSTROM
        _center_restraints(system, points)
        integrator = openmm.VerletIntegrator(_TIME_STEP)
        context = openmm.Context(system, integrator, self.platform, self._properties)
        if box is not None:
            context.setPeriodicBoxVectors(*box.tolist())
        context.setPositions(points)
        energy_before = _energy(context)
        openmm.LocalEnergyMinimizer.minimize(context, maxIterations=max_steps)
        minimized = context.getState(positions=True).getPositions(asNumpy=True).value_in_unit(nanometer)
        return MinimizationResult(np.asarray(minimized) / NM_PER_ANGSTROM, energy_before, _energy(context))


def _energy(context: openmm.Context) -> float:
    state = context.getState(energy=True, groups=~(1 << RESTRAINT_GROUP) & 0xFFFFFFFF)
    return float(state.getPotentialEnergy().value_in_unit(kilojoule_per_mole))


def _center_restraints(system: openmm.System, points: Float[np.ndarray, "N 3"]) -> None:
    """Set the centres of the restraints, where the system has some, to positions (nm)."""
    for force in system.getForces():
        if force.getForceGroup() == RESTRAINT_GROUP:
            for i in range(force.getNumParticles()):
                particle, _ = force.getParticleParameters(i)
                force.setParticleParameters(i, particle, points[particle])
