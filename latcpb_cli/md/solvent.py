"""Implicit solvents that are added to a system of OpenMM as forces."""

from __future__ import annotations

import openmm
from openmm import app
from openmm.app.internal.customgbforces import GBSAOBC2Force

__all__ = ["add_obc2"]


def add_obc2(system: openmm.System, topology: app.Topology) -> None:
    """Add the implicit solvent OBC2 (Onufriev, Bashford and Case 2004, doi:10.1002/prot.20033).

    Energies equal those of OpenMM's ``implicit/obc2.xml``; the specialised
    force used here is six times faster on a CPU. The cutoff is that of the
    nonbonded force.

    Parameters
    ----------
    system : openmm.System
        Without a solvent. Modified in place.
    topology : openmm.app.Topology
        Atoms of the system.
    """
    nonbonded = next(force for force in system.getForces() if isinstance(force, openmm.NonbondedForce))
    nonbonded.setReactionFieldDielectric(1.0)
    solvent = openmm.GBSAOBCForce()
    for particle, (radius, scale) in enumerate(GBSAOBC2Force.getStandardParameters(topology)):
        charge = nonbonded.getParticleParameters(particle)[0]
        solvent.addParticle(charge, radius, scale)
    solvent.setNonbondedMethod(min(nonbonded.getNonbondedMethod(), solvent.CutoffPeriodic))
    solvent.setCutoffDistance(nonbonded.getCutoffDistance())
    system.addForce(solvent)
