"""Where hydrogens stand before a force field has seen them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from latcpb_cli.md.molecule import Molecule

__all__ = ["HydrogenPlaces"]

_LENGTH = {"C": 1.09, "N": 1.01, "O": 0.96, "S": 1.34}
"""Å, by the element that the hydrogen is bonded to."""
_TETRAHEDRAL, _PLANAR = np.radians([109.47, 120.0])
_HALF_METHYLENE = np.radians(54.0)
_TURNS = {1: (180.0,), 2: (60.0, 300.0), 3: (60.0, 180.0, 300.0)}
"""Torsions of hydrogens on an atom with one other neighbour."""
_SAME_SIDE = 0.5
"""Cosine of how far a hydrogen may lean from where its parent's neighbours put it."""

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class _Group:
    """Hydrogens that are placed by the same rule; one row per hydrogen."""

    rows: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    neighbours: list[tuple[int, ...]] = field(default_factory=list)
    values: list[tuple[float, ...]] = field(default_factory=list)

    def add(self, row: int, parent: int, neighbours: tuple[int, ...], *values: float) -> None:
        self.rows.append(row)
        self.parents.append(parent)
        self.neighbours.append(neighbours)
        self.values.append(values)

    def around(self, points: Array) -> Array:
        """Unit vectors from the parents to their neighbours: (M, H, K, 3)."""
        ends = points[:, np.array(self.neighbours)]
        return _unit(ends - points[:, self.parents][:, :, None])


class HydrogenPlaces:
    """Rules that place each hydrogen by the heavy atoms around it.

    Three rules suffice: opposite to the two or three other neighbours, as one
    of the two of a methylene, or by a torsion about the only other bond.

    Parameters
    ----------
    molecule : Molecule
        With hydrogens.
    """

    def __init__(self, molecule: Molecule) -> None:
        topology = molecule.topology
        self.hydrogen = ~molecule.heavy
        self._opposite, self._methylene, self._turned = _Group(), _Group(), _Group()
        around: list[list[int]] = [[] for _ in range(len(topology))]
        for one, other in molecule.bonds.tolist():
            around[one].append(other)
            around[other].append(one)
        letters = np.array(list(topology.trace.sequence))[topology.residue]
        for parent in np.flatnonzero(~self.hydrogen).tolist():
            mine = sorted(row for row in around[parent] if self.hydrogen[row])
            others = sorted(row for row in around[parent] if not self.hydrogen[row])
            if mine:
                planar = topology.elements[parent] == "N" and len(mine) == 2 and letters[parent] != "K"
                self._sort(parent, mine, others, around, planar)
        self._elements = topology.elements

    def place(self, points: Array) -> Array:
        """Fill in the hydrogens.

        Parameters
        ----------
        points : numpy.ndarray, shape (M, N, 3)
            In Å; those of hydrogens are not read.

        Returns
        -------
        numpy.ndarray of float64, shape (M, N, 3)
        """
        placed = points.astype(np.float64)
        for group, rule in (
            (self._opposite, _opposite),
            (self._methylene, _methylene),
            (self._turned, _turned),
        ):
            if group.rows:
                length = np.array([_LENGTH[self._elements[parent]] for parent in group.parents])
                step = rule(group, placed) * length[:, None]
                placed[:, group.rows] = placed[:, group.parents] + step
        return placed

    def strayed(self, placed: Array, relaxed: Array) -> Array:
        """Find hydrogens that have left the side of their parent on which its other neighbours put them.

        A force field that moves hydrogens alone can push one through the plane
        of a crowded centre; with all atoms free the centre would follow, and
        change its hand.

        Parameters
        ----------
        placed, relaxed : numpy.ndarray, shape (N, 3)
            From `place`, and after hydrogens have moved; Å.

        Returns
        -------
        numpy.ndarray of int64
            Rows; hydrogens that turn about a bond are none of them.
        """
        rows, parents = (
            np.array(getattr(self._opposite, name) + getattr(self._methylene, name), dtype=np.int64)
            for name in ("rows", "parents")
        )
        before, after = (_unit(points[rows] - points[parents]) for points in (placed, relaxed))
        return rows[(before * after).sum(axis=-1) < _SAME_SIDE]

    def _sort(
        self, parent: int, mine: list[int], others: list[int], around: list[list[int]], planar: bool
    ) -> None:
        """Choose the rule for the hydrogens of one atom."""
        if len(others) > 1 and len(mine) == 1:
            # Two neighbours: the second counts once more as none, with weight 0.
            third = others[2] if len(others) > 2 else others[1]
            self._opposite.add(mine[0], parent, (others[0], others[1], third), 1.0, 1.0, len(others) - 2.0)
        elif len(others) > 1:
            for row, side in zip(mine, (1.0, -1.0), strict=True):
                self._methylene.add(row, parent, (others[0], others[1]), side)
        else:
            beyond = min(row for row in around[others[0]] if row != parent and not self.hydrogen[row])
            turns = (0.0, 180.0) if planar else _TURNS[len(mine)]
            for row, turn in zip(mine, turns, strict=True):
                self._turned.add(row, parent, (others[0], beyond), float(planar), np.radians(turn))


def _opposite(group: _Group, points: Array) -> Array:
    weights = np.array(group.values)
    return -_unit((group.around(points) * weights[..., None]).sum(axis=2))


def _methylene(group: _Group, points: Array) -> Array:
    one, other = np.moveaxis(group.around(points), 2, 0)
    side = np.array(group.values)
    away, across = -_unit(one + other), _unit(np.cross(one, other))
    return away * np.cos(_HALF_METHYLENE) + across * np.sin(_HALF_METHYLENE) * side


def _turned(group: _Group, points: Array) -> Array:
    """Follow beyond - neighbour - parent with an angle and a torsion."""
    planar, torsion = np.array(group.values).T
    neighbour, beyond = np.array(group.neighbours).T
    axis = _unit(points[:, group.parents] - points[:, neighbour])
    normal = _unit(np.cross(points[:, neighbour] - points[:, beyond], axis))
    inward = np.cross(normal, axis)
    angle = np.where(planar > 0, _PLANAR, _TETRAHEDRAL)
    along, out = -np.cos(angle)[:, None], np.sin(angle)
    return (
        axis * along + inward * (out * np.cos(torsion))[:, None] + normal * (out * np.sin(torsion))[:, None]
    )


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
