"""Disulfides between cysteines that stand as if they had one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latcpb_cli.chem.bonds import bond_steps, element_index
from latcpb_cli.chem.reference import reference_angle, reference_length
from latcpb_cli.chem.residues import ELEMENTS, LETTERS, VDW_RADIUS
from latcpb_cli.complete.nearby_atoms import atoms_around
from latcpb_cli.geometry.pairs import close_pairs, image_shift
from latcpb_cli.structure import Bridge, CGTrace

__all__ = ["SS_BOND", "make_disulfides"]

SS_BOND = 2.05
"""Length of the bond, Å: mean of crystals (Engh and Huber 2001, doi:10.1107/97809553602060000695: 2.033)."""
_SS_ANGLE = np.radians(104.0)
_ALPHA, _BETA = (3.75, 7.5), (2.9, 4.9)
"""Distances (Å) of the Cα and of the Cβ of cysteines that are looked at."""
_CYS, _HIS = LETTERS.index("C"), LETTERS.index("H")
_METAL, _LIGANDS, _LIGAND_AROUND = (3.1, 4.3), 2, 7.0
"""Distance (Å) of two sulfurs at a metal ion, and how many more Cys or His have CB how near (Å) to theirs."""
_N, _CA, _CB, _SG = 0, 1, 4, 5
_GRID = np.radians(np.arange(-180.0, 180.0, 10.0))
_STARTS = 4  # places of the grid that are refined
_APART = np.radians(30.0)  # between two of them
_ROUNDS, _DAMPING, _LONGEST = 8, 0.02, 0.3
_NUDGE = 1e-4  # rad, of the numerical slope
_MOST_BEND = np.radians(12.0)
_WIDTHS = (0.02, np.radians(5.0), 0.35, np.radians(4.0))
"""What is usual: bond length (Å), angle at S, cosine of the S-S torsion, bend at CB."""
_ROTAMER = 0.5  # cost of an eclipsed chi1 is 1 / this, squared
_SOFT = 0.2  # Å of overlap that weighs as much as one width
_BERTH = 0.3  # Å of overlap that costs nothing
_AROUND = 14.0
_LIMIT = 25.0
"""Cost above which two cysteines are not joined."""
_TOLERANCE = 0.1  # Å


@dataclass(frozen=True, eq=False)
class _Arm:
    """CB of P cysteines, with directions: along CA-CB, across it towards N, and to the side; (P, 3) each."""

    base: np.ndarray
    axis: np.ndarray
    across: np.ndarray
    side: np.ndarray

    @classmethod
    def of(cls, atoms: np.ndarray, shift: np.ndarray) -> _Arm:
        """Take them from atoms (P, W, 3), moved by ``shift`` (P, 3)."""
        n, ca, cb = (atoms[:, slot].astype(np.float64) - shift for slot in (_N, _CA, _CB))
        axis = _unit(cb - ca)
        across = n - ca
        across = _unit(across - (across * axis).sum(-1, keepdims=True) * axis)
        return cls(cb, axis, across, np.cross(axis, across))

    def sulfur(self, chi: np.ndarray, bend: np.ndarray) -> np.ndarray:
        """SG at chi1 and with the angle at CB bent; (P, ...) each give (P, ..., 3)."""
        angle = reference_angle()[_CYS, _CA, _CB, _SG] + bend
        dims = (len(self.base), *(1,) * (chi.ndim - 1), 3)
        base, axis, across, side = (x.reshape(dims) for x in (self.base, self.axis, self.across, self.side))
        turned = np.cos(chi)[..., None] * across + np.sin(chi)[..., None] * side
        step = np.sin(angle)[..., None] * turned - np.cos(angle)[..., None] * axis
        return np.asarray(base + reference_length()[_CYS, _CB, _SG] * step)


def make_disulfides(
    trace: CGTrace, atoms: np.ndarray, present: np.ndarray, cell: np.ndarray
) -> tuple[Bridge, ...]:
    """Join cysteines of one structure, moving their SG (in place).

    Pairs are looked for by Cα-Cα and Cβ-Cβ distances, within and between
    chains and across periodic borders; those that stand with further Cys or
    His as around a zinc ion are left alone. Of each the chi1 and, by a few degrees, the
    angles at CB are turned until the bond is 2.05 Å long; the cost of a pair
    is how far from usual its angles and torsions are, and how much its sulfurs
    overlap other atoms. Cheap pairs are joined, the cheapest first, each Cys once.

    Parameters
    ----------
    trace : CGTrace
    atoms : numpy.ndarray of float32, shape (L, 15, 3)
        In Å.
    present : numpy.ndarray of bool, shape (L, 15)
        Atoms that are there.
    cell : numpy.ndarray, shape (3, 3)
        Vectors of the periodic box as rows, Å; zeros for no box.

    Returns
    -------
    tuple of (int, int)
        Numbers of the residues, in order.
    """
    types = trace.residue_types
    one, two, shift = _candidates(trace, atoms, cell)
    if not len(one):
        return ()
    arms = _Arm.of(atoms[one], np.zeros_like(shift)), _Arm.of(atoms[two], shift)
    places, cost = _places(arms)
    for pair, (first, second) in enumerate(zip(one.tolist(), two.tolist(), strict=True)):
        for residue, partner, end, move in ((first, second, 0, 0.0), (second, first, 1, shift[pair])):
            around = atoms_around(atoms, residue, present, cell, _AROUND)
            cost[pair] += _overlap(types, places[pair, :, end] + move, residue, partner, around)
    best = np.arange(len(one)), cost.argmin(axis=1)
    sulfurs, cost = places[best], cost[best]
    joined: list[Bridge] = []
    taken: set[int] = set()
    for pair in np.lexsort((two, one, cost)).tolist():
        first, second = int(one[pair]), int(two[pair])
        if cost[pair] > _LIMIT or taken & {first, second}:
            continue
        taken |= {first, second}
        atoms[first, _SG] = sulfurs[pair, 0]
        atoms[second, _SG] = sulfurs[pair, 1] + shift[pair]
        joined.append((first, second))
    return tuple(sorted(joined))


def _candidates(
    trace: CGTrace, atoms: np.ndarray, cell: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of cysteines (P,) that are near enough, and what to subtract from the second (P, 3)."""
    cys = np.flatnonzero(trace.residue_types == _CYS)
    if len(cys) < 2:
        return cys[:0], cys[:0], np.zeros((0, 3))
    one, two, distance = close_pairs(atoms[cys, _CA], _ALPHA[1], cell)
    one, two = cys[one], cys[two]
    neighbours = (two - one == 1) & trace.same_chain_as_next()[one]
    kept = (distance > _ALPHA[0]) & ~neighbours
    one, two = one[kept], two[kept]
    shift = -image_shift(atoms[two, _CA].astype(np.float64) - atoms[one, _CA], cell)
    beta = atoms[two, _CB].astype(np.float64) - shift - atoms[one, _CB]
    beta = np.sqrt((beta * beta).sum(-1))
    near = (beta > _BETA[0]) & (beta < _BETA[1])
    near &= ~_at_metal(trace.residue_types, atoms, one, two, shift, cell)
    near = np.flatnonzero(near)
    near = near[np.lexsort((two[near], one[near]))]
    return one[near], two[near], shift[near]


def _at_metal(
    types: np.ndarray,
    atoms: np.ndarray,
    one: np.ndarray,
    two: np.ndarray,
    shift: np.ndarray,
    cell: np.ndarray,
) -> np.ndarray:
    """Pairs of cysteines that stand with others as around a zinc ion: bool, (P,)."""
    sulfur = atoms[two, _SG].astype(np.float64) - shift - atoms[one, _SG]
    apart = np.sqrt((sulfur * sulfur).sum(-1))
    ligands = np.flatnonzero((types == _CYS) | (types == _HIS))
    near = []
    for residue in (one, two):
        step = atoms[ligands, _CB].astype(np.float64) - atoms[residue, None, _CB]
        step = step + image_shift(step.reshape(-1, 3), cell).reshape(step.shape)
        near.append((step * step).sum(-1) < _LIGAND_AROUND**2)
    # The two themselves are among those near both of them.
    many = (near[0] & near[1]).sum(axis=1) >= 2 + _LIGANDS
    return np.asarray(many & (apart > _METAL[0]) & (apart < _METAL[1]))


def _places(arms: tuple[_Arm, _Arm]) -> tuple[np.ndarray, np.ndarray]:
    """Some places of both sulfurs of each pair (P, K, 2, 3) that make a bond, and what they cost (P, K)."""
    x = _refine(arms, _starts(arms))
    places = _sulfurs(arms, x)
    bond = places[..., 1, :] - places[..., 0, :]
    length = np.sqrt((bond * bond).sum(-1))
    cost = (_residuals(arms, x) ** 2).sum(-1)
    return places, np.where(np.abs(length - SS_BOND) > _TOLERANCE, np.inf, cost)


def _starts(arms: tuple[_Arm, _Arm]) -> np.ndarray:
    """The cheapest places of a grid of both chi1 that are apart, with no bend: (P, K, 4)."""
    n_pairs = len(arms[0].base)
    grid = np.stack(np.meshgrid(_GRID, _GRID, indexing="ij"), axis=-1).reshape(-1, 2)
    x = np.concatenate([grid, np.zeros_like(grid)], axis=1)
    cost = (_residuals(arms, np.broadcast_to(x, (n_pairs, *x.shape)), length=0.3) ** 2).sum(-1)
    starts = []
    for _ in range(_STARTS):
        best = x[cost.argmin(axis=1)]
        starts.append(best)
        near = np.cos(grid - best[:, None, :2]).min(axis=-1) > np.cos(_APART)
        cost = np.where(near, np.inf, cost)
    return np.stack(starts, axis=1)


def _refine(arms: tuple[_Arm, _Arm], x: np.ndarray) -> np.ndarray:
    """Gauss-Newton steps on both chi1 and both bends (P, K, 4)."""
    diagonal = np.arange(4)
    for _ in range(_ROUNDS):
        now = _residuals(arms, x)
        moved = x[:, None] + _NUDGE * np.eye(4)[:, None]
        slopes = (_residuals(arms, moved) - now[:, None]) / _NUDGE
        square = np.einsum("pikr,pjkr->pkij", slopes, slopes)
        square[..., diagonal, diagonal] *= 1.0 + _DAMPING
        square[..., diagonal, diagonal] += 1e-6
        slope = np.einsum("pikr,pkr->pki", slopes, now)
        step = np.linalg.solve(square, -slope[..., None])[..., 0]
        x = x + np.clip(step, -_LONGEST, _LONGEST)
        x[..., 2:] = np.clip(x[..., 2:], -_MOST_BEND, _MOST_BEND)
    return x


def _sulfurs(arms: tuple[_Arm, _Arm], x: np.ndarray) -> np.ndarray:
    """Both SG for turns x (P, ..., 4): (P, ..., 2, 3)."""
    return np.stack([arm.sulfur(x[..., k], x[..., 2 + k]) for k, arm in enumerate(arms)], axis=-2)


def _residuals(arms: tuple[_Arm, _Arm], x: np.ndarray, length: float = _WIDTHS[0]) -> np.ndarray:
    """How far from usual each measure is, in widths: (P, ..., 8)."""
    pair = _sulfurs(arms, x)
    one, two = pair[..., 0, :], pair[..., 1, :]
    dims = (len(x), *(1,) * (x.ndim - 2), 3)
    base = [arm.base.reshape(dims) for arm in arms]
    bond = two - one
    distance = np.sqrt((bond * bond).sum(-1))
    axis, back, ahead = _unit(bond), _unit(base[0] - one), _unit(base[1] - two)
    at_one, at_two = (np.clip((arm * axis).sum(-1), -0.9999, 0.9999) for arm in (back, ahead))
    angles = np.arccos(at_one), np.arccos(-at_two)
    # Of the two planes: no cross products, which cost more than all the rest.
    torsion = ((back * ahead).sum(-1) - at_one * at_two) / np.sqrt((1 - at_one**2) * (1 - at_two**2))
    return np.stack(
        [
            (distance - SS_BOND) / length,
            *((angle - _SS_ANGLE) / _WIDTHS[1] for angle in angles),
            torsion / _WIDTHS[2],
            *(x[..., 2 + k] / _WIDTHS[3] for k in (0, 1)),
            *(np.cos(1.5 * x[..., k]) / _ROTAMER for k in (0, 1)),
        ],
        axis=-1,
    )


def _overlap(
    types: np.ndarray,
    places: np.ndarray,
    residue: int,
    partner: int,
    around: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    """Cost of the overlaps of an SG at some places (K, 3) with all but its own residue and partner."""
    points, rows, slots = around
    own = bond_steps()[_CYS, _SG][slots] <= 3
    # CB, SG and CA of the partner are joined to this SG by three bonds or fewer.
    near = (rows == residue) & own
    near |= (rows == partner) & (bond_steps()[_CYS, _SG][slots] <= 2)
    radius = np.array([VDW_RADIUS[element] for element in ELEMENTS])[element_index()[types[rows], slots]]
    reach = np.where(near, 0.0, radius + VDW_RADIUS["S"] - _BERTH)
    step = places[:, None] - points
    distance = np.sqrt((step * step).sum(-1))
    return np.asarray(((np.maximum(reach - distance, 0.0) / _SOFT) ** 2).sum(-1))


def _unit(vector: np.ndarray) -> np.ndarray:
    norm = np.sqrt((vector * vector).sum(-1, keepdims=True))
    return np.asarray(vector / np.maximum(norm, 1e-9))
