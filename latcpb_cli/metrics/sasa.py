"""Solvent-accessible surface by the points of Shrake and Rupley (1973, doi:10.1016/0022-2836(73)90011-9)."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.bonds import element_index
from latcpb_cli.chem.residues import ELEMENTS, VDW_RADIUS
from latcpb_cli.geometry.pairs import close_pairs

__all__ = ["solvent_accessible_surface"]

_PROBE = 1.4
"""Radius of a water molecule, Å."""
_N_POINTS = 192

Array = np.ndarray


def solvent_accessible_surface(
    types: Int[Array, "L"], atoms: Float[Array, "L 15 3"], present: Bool[Array, "L 15"]
) -> Float[Array, "L"]:
    """Return the surface (Å²) of the heavy atoms of each residue that a water molecule can touch.

    Hydrogens are not counted; their room is part of the radii of no atom, so the
    surface is a little smaller than with hydrogens.
    """
    residue = np.nonzero(present)[0]
    points = atoms[present].astype(np.float64)
    radius = np.array([VDW_RADIUS[element] for element in ELEMENTS])[element_index()[types]][present] + _PROBE
    first, second, distance = close_pairs(points, 2 * float(radius.max()))
    near = distance < radius[first] + radius[second]
    centre, other = np.r_[first[near], second[near]], np.r_[second[near], first[near]]
    order = np.argsort(centre, kind="stable")
    centre, other = centre[order], other[order]
    bounds = np.searchsorted(centre, np.arange(len(points) + 1))
    free = np.empty(len(points))
    for atom, (start, stop) in enumerate(zip(bounds, bounds[1:], strict=False)):
        # |c + r u - x|² < R² for a point u of the unit sphere: a plane cuts off what x covers.
        step = points[other[start:stop]] - points[atom]
        cover = (step**2).sum(axis=1) + radius[atom] ** 2 - radius[other[start:stop]] ** 2
        covered = (2 * radius[atom] * _sphere() @ step.T > cover).any(axis=1)
        free[atom] = 1.0 - covered.mean()
    return np.bincount(residue, free * 4 * np.pi * radius**2, minlength=len(types))


@cache
def _sphere() -> Float[Array, "P 3"]:
    """Points spread evenly over the unit sphere (a golden spiral)."""
    index = np.arange(_N_POINTS) + 0.5
    polar, azimuth = np.arccos(1 - 2 * index / _N_POINTS), np.pi * (1 + 5**0.5) * index
    return np.stack([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], axis=1)
