"""Systems of OpenMM for a molecule: force field, chain breaks and restraints."""

from __future__ import annotations

from functools import cache

import numpy as np
import openmm
from jaxtyping import Bool
from openmm import app
from openmm.unit import nanometer

from latcpb_cli.errors import InputError, first_line
from latcpb_cli.md.breaks import disable_terms_across_breaks
from latcpb_cli.md.force_fields import FORCE_FIELDS, SOLVENTS
from latcpb_cli.md.molecule import Molecule
from latcpb_cli.md.solvent import add_obc2
from latcpb_cli.options import MdOptions

__all__ = ["RESTRAINT_GROUP", "hydrogen_system", "minimization_system"]

RESTRAINT_GROUP = 1
"""Force group of the Cα restraints, which reported energies leave out."""
_HYDROGEN_CUTOFF, _MINIMIZATION_CUTOFF = 1.0, 2.0
"""Cutoffs of the nonbonded forces, nm; usual for vacuum and for implicit solvents."""
_MAX_CUTOFF_PER_WIDTH = 0.49
"""Cutoff over box width: with more than a half, nearest images would not suffice."""


def hydrogen_system(molecule: Molecule, force_field: str, broken: Bool[np.ndarray, "L"]) -> openmm.System:
    """Create a system in vacuum and without a box, in which only hydrogens move.

    Parameters
    ----------
    molecule : Molecule
        With hydrogens.
    force_field : str
    broken : numpy.ndarray of bool, shape (L,)
        Whether a residue and the next of its chain are neighbours that no peptide joins.

    Raises
    ------
    InputError
        The force field has no template for a residue.
    """
    system = _create(molecule, force_field, "vacuum", app.CutoffNonPeriodic, _HYDROGEN_CUTOFF)
    disable_terms_across_breaks(
        system, molecule.topology.residue, broken, molecule.topology.trace.next_residue
    )
    for row in np.flatnonzero(molecule.topology.elements != "H").tolist():
        system.setParticleMass(row, 0.0)
    return system


def minimization_system(
    molecule: Molecule, options: MdOptions, broken: Bool[np.ndarray, "L"], box_width: float
) -> openmm.System:
    """Create a system in which all atoms move, with a harmonic restraint of each Cα.

    The centres of the restraints are particle parameters x0, y0, z0 (nm),
    which `latcpb_cli.md.engine.Engine` sets for each frame.

    Parameters
    ----------
    molecule : Molecule
        With hydrogens.
    options : MdOptions
    broken : numpy.ndarray of bool, shape (L,)
        Whether a residue and the next of its chain are neighbours that no peptide joins.
    box_width : float
        Smallest width of the periodic box in nm; 0 for no box.
    """
    method = app.CutoffPeriodic if box_width > 0 else app.CutoffNonPeriodic
    cutoff = (
        min(_MINIMIZATION_CUTOFF, _MAX_CUTOFF_PER_WIDTH * box_width)
        if box_width > 0
        else _MINIMIZATION_CUTOFF
    )
    system = _create(molecule, options.force_field, options.solvent, method, cutoff)
    disable_terms_across_breaks(
        system, molecule.topology.residue, broken, molecule.topology.trace.next_residue
    )
    if box_width > 0:
        for force in system.getForces():
            # A disulfide may join periodic images.
            if hasattr(force, "setUsesPeriodicBoundaryConditions"):
                force.setUsesPeriodicBoundaryConditions(True)
    system.addForce(_ca_restraints(molecule, options.restraint))
    return system


def _ca_restraints(molecule: Molecule, force_constant: float) -> openmm.CustomExternalForce:
    restraints = openmm.CustomExternalForce("0.5*k*((x-x0)^2+(y-y0)^2+(z-z0)^2)")
    restraints.addGlobalParameter("k", force_constant)
    for name in ("x0", "y0", "z0"):
        restraints.addPerParticleParameter(name)
    for row in np.flatnonzero(molecule.topology.names == "CA").tolist():
        restraints.addParticle(row, (0.0, 0.0, 0.0))
    restraints.setForceGroup(RESTRAINT_GROUP)
    return restraints


@cache
def _force_field(name: str, solvent: str) -> app.ForceField:
    return app.ForceField(FORCE_FIELDS[name], *SOLVENTS[solvent])


def _create(molecule: Molecule, name: str, solvent: str, method: object, cutoff: float) -> openmm.System:
    """Create a system with a nonbonded cutoff in nm."""
    topology = molecule.to_openmm()
    if method is app.CutoffPeriodic:
        # Any box larger than the cutoff: each frame sets its own.
        topology.setUnitCellDimensions(openmm.Vec3(1, 1, 1) * 4.0 * cutoff)
    try:
        system = _force_field(name, solvent).createSystem(
            topology, nonbondedMethod=method, nonbondedCutoff=cutoff * nanometer, removeCMMotion=False
        )
    except (ValueError, KeyError) as error:
        raise InputError(
            f"force field {name}: {first_line(error).partition('.  ')[0]}",
            "Amber has no phosphates: try --force-field charmm36, or --selection",
        ) from None
    if solvent == "obc2":
        add_obc2(system, topology)
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            force.setReactionFieldDielectric(1.0)
    return system
