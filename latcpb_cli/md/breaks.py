"""Chain breaks in a system of OpenMM: residues whole, no bond between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import openmm

__all__ = ["forget_breaks"]

Across = Callable[..., bool]


def forget_breaks(system: openmm.System, residue: np.ndarray, broken: np.ndarray) -> None:
    """Take the bonded terms out of a system that would pull on a peptide that is not there.

    Parameters
    ----------
    system : openmm.System
        Made as if every two neighbours in a chain were joined, so that each
        residue has its usual template. Changed in place.
    residue : numpy.ndarray of int64, shape (N,)
        Residue of each particle.
    broken : numpy.ndarray of bool, shape (L,)
        Whether residue i is a neighbour of i+1 in its chain and not joined to it.
    """
    if not broken.any():
        return
    residues = residue.tolist()

    def across(*atoms: int) -> bool:
        around = {residues[atom] for atom in atoms}
        return any(broken[i] and i + 1 in around for i in around)

    for force in system.getForces():
        for kind, forget in _FORGET.items():
            if isinstance(force, kind):
                forget(force, across)


def _bonds(force: openmm.HarmonicBondForce, across: Across) -> None:
    for i in range(force.getNumBonds()):
        one, other, length, _ = force.getBondParameters(i)
        if across(one, other):
            force.setBondParameters(i, one, other, length, 0.0)


def _angles(force: openmm.HarmonicAngleForce, across: Across) -> None:
    for i in range(force.getNumAngles()):
        *atoms, angle, _ = force.getAngleParameters(i)
        if across(*atoms):
            force.setAngleParameters(i, *atoms, angle, 0.0)


def _torsions(force: openmm.PeriodicTorsionForce, across: Across) -> None:
    for i in range(force.getNumTorsions()):
        *atoms, period, phase, _ = force.getTorsionParameters(i)
        if across(*atoms):
            force.setTorsionParameters(i, *atoms, period, phase, 0.0)


def _impropers(force: openmm.CustomTorsionForce, across: Across) -> None:
    names = [force.getPerTorsionParameterName(i) for i in range(force.getNumPerTorsionParameters())]
    for i in range(force.getNumTorsions()):
        *atoms, values = force.getTorsionParameters(i)
        if across(*atoms):
            off = [0.0 if name == "k" else value for name, value in zip(names, values, strict=True)]
            force.setTorsionParameters(i, *atoms, off)


def _maps(force: openmm.CMAPTorsionForce, across: Across) -> None:
    if not force.getNumMaps():
        return
    size, energies = force.getMapParameters(0)
    flat = force.addMap(size, [0.0] * len(energies))
    for i in range(force.getNumTorsions()):
        _, *atoms = force.getTorsionParameters(i)
        if across(*atoms):
            force.setTorsionParameters(i, flat, *atoms)


_FORGET: dict[type, Callable[[object, Across], None]] = {
    openmm.HarmonicBondForce: _bonds,
    openmm.HarmonicAngleForce: _angles,
    openmm.PeriodicTorsionForce: _torsions,
    openmm.CustomTorsionForce: _impropers,
    openmm.CMAPTorsionForce: _maps,
}
