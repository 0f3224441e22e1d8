"""Ideal positions of hydrogens, from which a minimisation starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.geometry.angles import unit
from latcpb_cli.md.molecule import Molecule

__all__ = ["HydrogenPlacer"]

_BOND_LENGTH = {"C": 1.09, "N": 1.01, "O": 0.96, "S": 1.34}
"""Å, by the element of the parent; as in the force fields of Amber."""
_TETRAHEDRAL, _PLANAR = np.radians([109.47, 120.0])
_HALF_METHYLENE = np.radians(54.0)
"""Half of the angle between the two hydrogens of a methylene."""
_TORSIONS = {1: (180.0,), 2: (60.0, 300.0), 3: (60.0, 180.0, 300.0)}
"""Torsions (degrees) of one, two or three hydrogens on an atom with one other neighbour."""
_MIN_COSINE = 0.5
"""Cosine of the angle by which a hydrogen may leave its ideal direction and still be on the same side."""


@dataclass(frozen=True, eq=False)
class _Group:
    """Hydrogens that are placed by the same rule, as parallel lists.

    Attributes
    ----------
    rows, parents : list of int
        Rows of each hydrogen and of the atom it is bonded to.
    neighbors : list of tuple of int
        Rows of the K other atoms that the rule uses.
    parameters : list of tuple of float
        Parameters of the rule.
    """

    rows: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    neighbors: list[tuple[int, ...]] = field(default_factory=list)
    parameters: list[tuple[float, ...]] = field(default_factory=list)

    def add(self, row: int, parent: int, neighbors: tuple[int, ...], *parameters: float) -> None:
        self.rows.append(row)
        self.parents.append(parent)
        self.neighbors.append(neighbors)
        self.parameters.append(parameters)

    def directions(self, points: Float[np.ndarray, "M N 3"]) -> Float[np.ndarray, "M H K 3"]:
        """Unit vectors from the parents to their neighbours."""
        ends = points[:, np.array(self.neighbors)]
        return unit(ends - points[:, self.parents][:, :, None])


class HydrogenPlacer:
    """Place hydrogens by the heavy atoms around them.

    Three rules suffice: opposite to two or three other neighbours, as one of
    the two hydrogens of a methylene, or by a torsion about the only other bond.

    Parameters
    ----------
    molecule : Molecule
        N atoms, with hydrogens.
    """

    def __init__(self, molecule: Molecule) -> None:
        topology = molecule.topology
        self._elements, is_hydrogen = topology.elements, ~molecule.heavy
        self._opposite, self._methylene, self._torsion = _Group(), _Group(), _Group()
        bonded: list[list[int]] = [[] for _ in range(len(topology))]
        for first, second in molecule.bonds.tolist():
            bonded[first].append(second)
            bonded[second].append(first)
        heavy_neighbors = [sorted(row for row in rows if not is_hydrogen[row]) for rows in bonded]
        letters = np.array(list(topology.trace.sequence))[topology.residue]
        for parent in np.flatnonzero(~is_hydrogen).tolist():
            hydrogens = sorted(row for row in bonded[parent] if is_hydrogen[row])
            if hydrogens:
                is_amide = topology.elements[parent] == "N" and len(hydrogens) == 2 and letters[parent] != "K"
                self._add(parent, hydrogens, heavy_neighbors, is_planar=is_amide)

    def place(self, points: Float[np.ndarray, "M N 3"]) -> Float[np.ndarray, "M N 3"]:
        """Return the atoms with hydrogens in ideal positions.

        Parameters
        ----------
        points : numpy.ndarray, shape (M, N, 3)
            Atoms of M structures, Å; positions of hydrogens are ignored.

        Returns
        -------
        numpy.ndarray of float64, shape (M, N, 3)
        """
        placed = points.astype(np.float64)
        rules: tuple[tuple[_Group, Callable[..., np.ndarray]], ...] = (
            (self._opposite, _opposite_directions),
            (self._methylene, _methylene_directions),
            (self._torsion, _torsion_directions),
        )
        for group, rule in rules:
            if group.rows:
                length = np.array([_BOND_LENGTH[self._elements[parent]] for parent in group.parents])
                step = rule(group, placed) * length[:, None]
                placed[:, group.rows] = placed[:, group.parents] + step
        return placed

    def find_inverted(
        self, placed: Float[np.ndarray, "N 3"], relaxed: Float[np.ndarray, "N 3"]
    ) -> Int[np.ndarray, "H"]:
        """Find hydrogens that have left the side of their parent opposite to its other neighbours.

        A force field that moves hydrogens alone can push one through the plane
        of a crowded centre, which would change its chirality as soon as all
        atoms move.

        Parameters
        ----------
        placed, relaxed : numpy.ndarray, shape (N, 3)
            Atoms from `place`, and after hydrogens have moved; Å.

        Returns
        -------
        numpy.ndarray of int64
            Rows. Hydrogens that rotate about a bond are not among them.
        """
        groups = self._opposite, self._methylene
        rows = np.array([row for group in groups for row in group.rows], dtype=np.int64)
        parents = np.array([parent for group in groups for parent in group.parents], dtype=np.int64)
        before, after = (unit(points[rows] - points[parents]) for points in (placed, relaxed))
        return np.asarray(rows[(before * after).sum(axis=-1) < _MIN_COSINE])

    def _add(
        self, parent: int, hydrogens: list[int], heavy_neighbors: list[list[int]], *, is_planar: bool
    ) -> None:
        """Choose the rule for the hydrogens of one atom."""
        others = heavy_neighbors[parent]
        if len(others) > 1 and len(hydrogens) == 1:
            # With two neighbours, the second is repeated with weight 0.
            third = others[2] if len(others) > 2 else others[1]
            neighbors = (others[0], others[1], third)
            self._opposite.add(hydrogens[0], parent, neighbors, 1.0, 1.0, len(others) - 2.0)
        elif len(others) > 1:
            for row, side in zip(hydrogens, (1.0, -1.0), strict=True):
                self._methylene.add(row, parent, (others[0], others[1]), side)
        else:
            reference = min(row for row in heavy_neighbors[others[0]] if row != parent)
            torsions = (0.0, 180.0) if is_planar else _TORSIONS[len(hydrogens)]
            for row, torsion in zip(hydrogens, torsions, strict=True):
                parameters = float(is_planar), float(np.radians(torsion))
                self._torsion.add(row, parent, (others[0], reference), *parameters)


def _opposite_directions(group: _Group, points: Float[np.ndarray, "M N 3"]) -> Float[np.ndarray, "M H 3"]:
    """Opposite to the weighted sum of the directions of the neighbours."""
    weights = np.array(group.parameters)
    return -unit((group.directions(points) * weights[..., None]).sum(axis=2))


def _methylene_directions(group: _Group, points: Float[np.ndarray, "M N 3"]) -> Float[np.ndarray, "M H 3"]:
    """On either side of the plane of both neighbours."""
    first, second = np.moveaxis(group.directions(points), 2, 0)
    side = np.array(group.parameters)
    away, across = -unit(first + second), unit(np.cross(first, second))
    return np.asarray(away * np.cos(_HALF_METHYLENE) + across * np.sin(_HALF_METHYLENE) * side)


def _torsion_directions(group: _Group, points: Float[np.ndarray, "M N 3"]) -> Float[np.ndarray, "M H 3"]:
    """By the angle neighbour-parent-hydrogen and the torsion reference-neighbour-parent-hydrogen."""
    is_planar, torsion = np.array(group.parameters).T
    neighbor, reference = np.array(group.neighbors).T
    axis = unit(points[:, group.parents] - points[:, neighbor])
    normal = unit(np.cross(points[:, neighbor] - points[:, reference], axis))
    inward = np.cross(normal, axis)
    angle = np.where(is_planar > 0, _PLANAR, _TETRAHEDRAL)
    along, out = -np.cos(angle)[:, None], np.sin(angle)
    in_plane, sideways = (out * np.cos(torsion))[:, None], (out * np.sin(torsion))[:, None]
    return np.asarray(axis * along + inward * in_plane + normal * sideways)
