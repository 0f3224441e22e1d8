"""Placement of the extra atoms of modified residues at all combinations of their free rotations."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
from jaxtyping import Float

from latcpb_cli.chem.modified import (
    ESTER_ROTATION,
    MODIFIED_RESIDUES,
    NO_ROTATION,
    PHOSPHATE_ROTATION,
    ModifiedResidue,
    atom_slots,
)
from latcpb_cli.chem.residues import N_SLOTS, NAMES
from latcpb_cli.geometry.angles import unit

__all__ = ["extra_slots", "modified_residue_of", "place_extra_atoms", "rotation_energy"]

_ESTER_ANGLES = np.radians(np.arange(0.0, 360.0, 15.0))
_PHOSPHATE_ANGLES = np.radians([0.0, -20.0, 20.0])  # about staggered oxygens
_ROTATION_WEIGHT = 0.01
"""Å²: an order of magnitude below a clash, so rotational preferences decide between rotations without one."""


def modified_residue_of(residue_kind: int) -> ModifiedResidue:
    """Return the modified residue of a residue kind from 20 on."""
    return MODIFIED_RESIDUES[residue_kind - len(NAMES)]


def extra_slots(residue_kind: int) -> list[int]:
    """Return the slots of the extra atoms of a modified residue."""
    return sorted(slot for slot in atom_slots(residue_kind).values() if slot >= N_SLOTS)


@cache
def _rotations(residue_kind: int) -> Float[np.ndarray, "T 2"]:
    """Combinations of angles (rad) of the two free rotations: about the ester bond, about the O-P bond."""
    if not modified_residue_of(residue_kind).is_rotatable:
        return np.zeros((1, 2))
    rotations = np.zeros((len(_ESTER_ANGLES) * len(_PHOSPHATE_ANGLES), 2))
    rotations[:, [ESTER_ROTATION, PHOSPHATE_ROTATION]] = list(product(_ESTER_ANGLES, _PHOSPHATE_ANGLES))
    return rotations


@cache
def rotation_energy(residue_kind: int) -> Float[np.ndarray, "T"]:
    """Return a small energy (Å²) of each combination of rotations.

    It is least for staggered oxygens and for P trans to the chain; on Tyr, for P
    out of the plane of the ring.
    """
    ester, phosphate = _rotations(residue_kind).T
    is_aromatic = modified_residue_of(residue_kind).parent == "TYR"
    ester_term = np.cos(2 * ester) if is_aromatic else np.cos(ester)
    return np.asarray(_ROTATION_WEIGHT * (2.0 + ester_term - np.cos(3 * phosphate)))


def place_extra_atoms(residue_kind: int, atoms: Float[np.ndarray, "F W 3"]) -> Float[np.ndarray, "F T E 3"]:
    """Place the extra atoms at ideal bond lengths and angles.

    Parameters
    ----------
    residue_kind : int
        From 20 on.
    atoms : numpy.ndarray of float64, shape (F, W, 3)
        Atoms of the residue in F structures, Å.

    Returns
    -------
    numpy.ndarray of float64, shape (F, T, E, 3)
        E extra atoms at each of T combinations of rotations, Å.
    """
    modified, slots = modified_residue_of(residue_kind), atom_slots(residue_kind)
    rotations = _rotations(residue_kind)
    placed: dict[str, np.ndarray] = {}
    for atom in modified.extra_atoms:
        parents = [
            placed[name] if name in placed else atoms[:, None, slots[modified.renamed.get(name, name)]]
            for name in atom.parents
        ]
        torsion = np.full(len(rotations), np.radians(atom.torsion))
        if atom.rotation != NO_ROTATION:
            torsion = torsion + rotations[:, atom.rotation]
        placed[atom.name] = _place(parents, atom.length, float(np.radians(atom.angle)), torsion)
    return np.stack([placed[atom.name] for atom in modified.extra_atoms], axis=2)


def _place(
    parents: list[np.ndarray], length: float, angle: float, torsion: Float[np.ndarray, "T"]
) -> Float[np.ndarray, "F T 3"]:
    """Place x so that c-x, b-c-x and a-b-c-x have given values; parents a, b, c are (F, 1 or T, 3)."""
    a, b, c = parents
    axis = unit(c - b)
    across = a - b
    across = unit(across - (across * axis).sum(-1, keepdims=True) * axis)
    third = np.cross(axis, across)
    cos, sin = np.cos(torsion)[:, None], np.sin(torsion)[:, None]
    return np.asarray(c + length * (np.sin(angle) * (cos * across + sin * third) - np.cos(angle) * axis))
