"""Chain breaks in a system of OpenMM: whole residues without bonded terms between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openmm
from jaxtyping import Bool, Int

from latcpb_cli.geometry.links import next_rows

__all__ = ["disable_terms_across_breaks"]

SpansBreak = Callable[..., bool]
"""Whether a term of some atoms (indices) spans a break."""


def disable_terms_across_breaks(
    system: openmm.System,
    residue: Int[np.ndarray, "N"],
    broken: Bool[np.ndarray, "L"],
    next_residue: Int[np.ndarray, "L"] | None = None,
) -> None:
    """Set the force constants of all bonded terms across chain breaks to zero.

    Parameters
    ----------
    system : openmm.System
        Created as if all neighbours in a chain were joined, so that each
        residue matches its usual template. Modified in place.
    residue : numpy.ndarray of int64, shape (N,)
        Residue of each particle.
    broken : numpy.ndarray of bool, shape (L,)
        Whether a residue and the next of its chain are neighbours that no peptide joins.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.
    """
    if not broken.any():
        return
    residues, following = residue.tolist(), next_rows(next_residue, len(broken)).tolist()

    def spans_break(*atoms: int) -> bool:
        involved = {residues[atom] for atom in atoms}
        return any(broken[i] and following[i] in involved for i in involved)

    for force in system.getForces():
        for force_type, disable in _DISABLE.items():
            if isinstance(force, force_type):
                disable(force, spans_break)


def _disable_bonds(force: openmm.HarmonicBondForce, spans_break: SpansBreak) -> None:
    for i in range(force.getNumBonds()):
        first, second, length, _ = force.getBondParameters(i)
        if spans_break(first, second):
            force.setBondParameters(i, first, second, length, 0.0)


def _disable_angles(force: openmm.HarmonicAngleForce, spans_break: SpansBreak) -> None:
    for i in range(force.getNumAngles()):
        *atoms, angle, _ = force.getAngleParameters(i)
        if spans_break(*atoms):
            force.setAngleParameters(i, *atoms, angle, 0.0)


def _disable_torsions(force: openmm.PeriodicTorsionForce, spans_break: SpansBreak) -> None:
    for i in range(force.getNumTorsions()):
        *atoms, period, phase, _ = force.getTorsionParameters(i)
        if spans_break(*atoms):
            force.setTorsionParameters(i, *atoms, period, phase, 0.0)


def _disable_impropers(force: openmm.CustomTorsionForce, spans_break: SpansBreak) -> None:
    names = [force.getPerTorsionParameterName(i) for i in range(force.getNumPerTorsionParameters())]
    for i in range(force.getNumTorsions()):
        *atoms, values = force.getTorsionParameters(i)
        if spans_break(*atoms):
            disabled = [0.0 if name == "k" else value for name, value in zip(names, values, strict=True)]
            force.setTorsionParameters(i, *atoms, disabled)


def _disable_maps(force: openmm.CMAPTorsionForce, spans_break: SpansBreak) -> None:
    if not force.getNumMaps():
        return
    size, energies = force.getMapParameters(0)
    flat_map = force.addMap(size, [0.0] * len(energies))
    for i in range(force.getNumTorsions()):
        _, *atoms = force.getTorsionParameters(i)
        if spans_break(*atoms):
            force.setTorsionParameters(i, flat_map, *atoms)


_DISABLE: dict[type, Callable[[Any, SpansBreak], None]] = {
    openmm.HarmonicBondForce: _disable_bonds,
    openmm.HarmonicAngleForce: _disable_angles,
    openmm.PeriodicTorsionForce: _disable_torsions,
    openmm.CustomTorsionForce: _disable_impropers,
    openmm.CMAPTorsionForce: _disable_maps,
}
