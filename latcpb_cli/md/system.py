"""A molecule as a system of OpenMM: force field, breaks, restraints."""

from __future__ import annotations

from functools import cache

import numpy as np
import openmm
from openmm import app
from openmm.unit import nanometer

from latcpb_cli.errors import InputError, first_line
from latcpb_cli.md.breaks import forget_breaks
from latcpb_cli.md.molecule import Molecule
from latcpb_cli.md.options import FORCE_FIELDS, SOLVENTS
from latcpb_cli.md.solvent import add_obc2
from latcpb_cli.options import MdOptions

__all__ = ["RESTRAINTS", "hydrogen_system", "minimize_system"]

RESTRAINTS = 1
"""Force group of the Cα restraints, which are no part of the energies that are reported."""
_CUTOFF = 2.0
"""nm"""


def hydrogen_system(molecule: Molecule, force_field: str, broken: np.ndarray) -> openmm.System:
    """Make a system in which only hydrogens move, without solvent or box.

    Parameters
    ----------
    molecule : Molecule
        With hydrogens.
    force_field : str
    broken : numpy.ndarray of bool, shape (L,)
        Neighbours in a chain that no peptide joins.

    Raises
    ------
    InputError
        The force field does not know a residue.
    """
    system = _create(molecule, force_field, "vacuum", app.CutoffNonPeriodic, 1.0)
    forget_breaks(system, molecule.topology.residue, broken)
    for row in np.flatnonzero(molecule.topology.elements != "H").tolist():
        system.setParticleMass(row, 0.0)
    return system


def minimize_system(
    molecule: Molecule, options: MdOptions, broken: np.ndarray, narrowest: float
) -> openmm.System:
    """Make a system in which all atoms move, each Cα held where it is.

    The centres of the restraints are particle parameters x0, y0, z0 (nm), to
    be set for each frame.

    Parameters
    ----------
    molecule : Molecule
    options : MdOptions
    broken : numpy.ndarray of bool, shape (L,)
    narrowest : float
        Smallest width of the periodic box in nm; 0 for no box.
    """
    method = app.CutoffPeriodic if narrowest > 0 else app.CutoffNonPeriodic
    # Half a box is the most that nearest images allow.
    cutoff = min(_CUTOFF, 0.49 * narrowest) if narrowest > 0 else _CUTOFF
    system = _create(molecule, options.force_field, options.solvent, method, cutoff)
    forget_breaks(system, molecule.topology.residue, broken)
    if narrowest > 0:
        for bonded in system.getForces():
            # A disulfide may go to the next image.
            if hasattr(bonded, "setUsesPeriodicBoundaryConditions"):
                bonded.setUsesPeriodicBoundaryConditions(True)
    force = openmm.CustomExternalForce("0.5*k*((x-x0)^2+(y-y0)^2+(z-z0)^2)")
    force.addGlobalParameter("k", options.restraint)
    for name in ("x0", "y0", "z0"):
        force.addPerParticleParameter(name)
    for row in np.flatnonzero(molecule.topology.names == "CA").tolist():
        force.addParticle(row, (0.0, 0.0, 0.0))
    force.setForceGroup(RESTRAINTS)
    system.addForce(force)
    return system


@cache
def _force_field(name: str, solvent: str) -> app.ForceField:
    return app.ForceField(FORCE_FIELDS[name], *SOLVENTS[solvent])


def _create(molecule: Molecule, name: str, solvent: str, method: object, cutoff: float) -> openmm.System:
    topology = molecule.to_openmm()
    if method is app.CutoffPeriodic:
        # Only that there is a box matters here; each frame brings its own.
        topology.setUnitCellDimensions(openmm.Vec3(1, 1, 1) * 4.0 * cutoff)
    try:
        system = _force_field(name, solvent).createSystem(
            topology, nonbondedMethod=method, nonbondedCutoff=cutoff * nanometer, removeCMMotion=False
        )
    except (ValueError, KeyError) as error:
        raise InputError(
            f"force field {name}: {first_line(error).partition('.  ')[0]}",
            "Amber has no one-residue chains and no phosphates: try --force-field charmm36, or --selection",
        ) from None
    if solvent == "obc2":
        add_obc2(system, topology)
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            force.setReactionFieldDielectric(1.0)
    return system
