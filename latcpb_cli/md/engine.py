"""Minimisation on one platform of OpenMM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import openmm
from openmm.unit import kilojoule_per_mole, nanometer

from latcpb_cli.md.system import RESTRAINTS

__all__ = ["Engine", "Minimized"]

_NM_PER_ANGSTROM = 0.1
_STEP = 0.001
"""ps; nothing is ever integrated, but a context must have an integrator."""


@dataclass(frozen=True, eq=False)
class Minimized:
    """Positions (N, 3) in Å, energies in kJ/mol without restraints."""

    positions: np.ndarray
    before: float
    after: float


class Engine:
    """Minimises on the GPU where the model runs there and OpenMM can, else on the CPU.

    Parameters
    ----------
    device : str
        ``cpu``, or a GPU as torch names it (``cuda:1``).
    threads : int
        Of the CPU.
    """

    def __init__(self, device: str, threads: int) -> None:
        names = {openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())}
        self._properties: dict[str, str] = {}
        if device.startswith("cuda") and "CUDA" in names:
            name, index = "CUDA", device.partition(":")[2] or "0"
            self._properties = {"Precision": "mixed", "DeviceIndex": index, "DeterministicForces": "true"}
        elif "CPU" in names:
            name = "CPU"
            self._properties = {"Threads": str(threads), "DeterministicForces": "true"}
        else:
            name = "Reference"
        self.platform = openmm.Platform.getPlatformByName(name)

    def minimize(
        self, system: openmm.System, positions: np.ndarray, steps: int, vectors: np.ndarray | None = None
    ) -> Minimized:
        """Go downhill from some positions.

        Each call has a context of its own: one that has seen other frames
        adds its forces up in another order, and the result would depend on
        which frames came before.

        Parameters
        ----------
        system : openmm.System
        positions : numpy.ndarray, shape (N, 3)
            In Å. Restraints hold their atoms here.
        steps : int
            At most so many.
        vectors : numpy.ndarray, shape (3, 3), or None
            Box vectors in nm.
        """
        points = positions * _NM_PER_ANGSTROM
        _hold(system, points)
        integrator = openmm.VerletIntegrator(_STEP)
        context = openmm.Context(system, integrator, self.platform, self._properties)
        if vectors is not None:
            context.setPeriodicBoxVectors(*vectors.tolist())
        context.setPositions(points)
        before = _energy(context)
        openmm.LocalEnergyMinimizer.minimize(context, maxIterations=steps)
        moved = context.getState(positions=True).getPositions(asNumpy=True).value_in_unit(nanometer)
        return Minimized(np.asarray(moved) / _NM_PER_ANGSTROM, before, _energy(context))


def _energy(context: openmm.Context) -> float:
    state = context.getState(energy=True, groups=~(1 << RESTRAINTS) & 0xFFFFFFFF)
    return float(state.getPotentialEnergy().value_in_unit(kilojoule_per_mole))


def _hold(system: openmm.System, points: np.ndarray) -> None:
    """Centre the restraints, where the system has some, on these positions (nm)."""
    for force in system.getForces():
        if force.getForceGroup() == RESTRAINTS:
            for i in range(force.getNumParticles()):
                row, _ = force.getParticleParameters(i)
                force.setParticleParameters(i, row, points[row])
