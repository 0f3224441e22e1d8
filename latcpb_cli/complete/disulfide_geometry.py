"""Geometry of disulfides: positions of two sulfurs that make an ideal bond, and how unusual they are.

Four variables move the sulfurs of a pair of cysteines: chi 1 of each, and a
small bend of each CA-CB-SG. A cost is a sum of squares in units of what is usual
in crystal structures; Gauss-Newton steps minimise it from the best points of a
grid. Arrays have axes P (pairs) and K (solutions of a pair).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from latcpb_cli.chem.reference import reference_angle, reference_length
from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, CYS, N_SLOT, slot_of
from latcpb_cli.geometry.angles import unit

__all__ = ["SS_BOND", "CysteinePairs"]

# In 3,899 disulfides of the crystal structures trained on: bond 2.04 Å, angle 104.5 ± 4.6°, CA-CB-SG
# 114.2 ± 2.5°, cosine of the torsion 0.05 ± 0.25.
SS_BOND = 2.05
"""Length of the bond, Å (Engh and Huber 2001, doi:10.1107/97809553602060000695: 2.033)."""
_SS_ANGLE = np.radians(104.0)
_BOND_WIDTH = 0.02  # Å
_ANGLE_WIDTH = np.radians(5.0)
_TORSION_WIDTH = 0.35  # of the cosine of CB-SG-SG-CB
_BEND_WIDTH = np.radians(4.0)
_ROTAMER_WIDTH = 0.5  # of cos(1.5 chi 1), which is 0 for staggered and ±1 for eclipsed chi 1

_GRID = np.radians(np.arange(-180.0, 180.0, 10.0))  # of chi 1
_GRID_BOND_WIDTH = 0.3  # Å, on the grid
_N_STARTS = 4  # points of the grid that are refined
_START_SEPARATION = np.radians(30.0)  # in one chi 1 at least
_N_STEPS, _DAMPING, _MAX_STEP = 8, 0.02, 0.3  # of Gauss-Newton; rad
_DIFFERENCE = 1e-4  # rad, of numerical derivatives
_MAX_BEND = np.radians(12.0)
_MAX_BOND_DEVIATION = 0.1  # Å, of a solution
_SG_SLOT = slot_of("CYS", "SG")


@dataclass(frozen=True, eq=False)
class _Arms:
    """CB of P cysteines, and axes along CA-CB, across it towards N, and perpendicular to both."""

    cb: Float[np.ndarray, "P 3"]
    axis: Float[np.ndarray, "P 3"]
    across: Float[np.ndarray, "P 3"]
    third: Float[np.ndarray, "P 3"]

    @classmethod
    def from_atoms(cls, atoms: Float[np.ndarray, "P W 3"], shift: Float[np.ndarray, "P 3"]) -> _Arms:
        """Set up arms from atoms (Å), translated by ``-shift``."""
        n, ca, cb = (atoms[:, slot].astype(np.float64) - shift for slot in (N_SLOT, CA_SLOT, CB_SLOT))
        axis = unit(cb - ca)
        across = n - ca
        across = unit(across - (across * axis).sum(-1, keepdims=True) * axis)
        return cls(cb, axis, across, np.cross(axis, across))

    def sulfurs(
        self, chi: Float[np.ndarray, "P *k"], bend: Float[np.ndarray, "P *k"]
    ) -> Float[np.ndarray, "P *k 3"]:
        """SG at chi 1 and a deviation of CA-CB-SG (rad)."""
        angle = reference_angle()[CYS, CA_SLOT, CB_SLOT, _SG_SLOT] + bend
        shape = (len(self.cb), *(1,) * (chi.ndim - 1), 3)
        cb, axis, across, third = (x.reshape(shape) for x in (self.cb, self.axis, self.across, self.third))
        direction = np.cos(chi)[..., None] * across + np.sin(chi)[..., None] * third
        step = np.sin(angle)[..., None] * direction - np.cos(angle)[..., None] * axis
        return np.asarray(cb + reference_length()[CYS, CB_SLOT, _SG_SLOT] * step)


@dataclass(frozen=True, eq=False)
class CysteinePairs:
    """P pairs of cysteines whose sulfurs can be turned towards each other."""

    first: _Arms
    second: _Arms

    @classmethod
    def from_atoms(
        cls,
        first: Float[np.ndarray, "P W 3"],
        second: Float[np.ndarray, "P W 3"],
        shift: Float[np.ndarray, "P 3"],
    ) -> CysteinePairs:
        """Set up pairs from the atoms (Å) of both residues, the second translated by ``-shift``."""
        return cls(_Arms.from_atoms(first, np.zeros_like(shift)), _Arms.from_atoms(second, shift))

    def solve(self) -> tuple[Float[np.ndarray, "P K 2 3"], Float[np.ndarray, "P K"]]:
        """Find sulfur positions that make a bond.

        Returns
        -------
        sulfurs : numpy.ndarray, shape (P, K, 2, 3)
            K solutions of each pair, Å.
        cost : numpy.ndarray, shape (P, K)
            Squared deviations from usual geometry; infinite without a bond of about 2.05 Å.
        """
        x = self._refine(self._grid_starts())
        sulfurs = self._sulfurs(x)
        bond = sulfurs[..., 1, :] - sulfurs[..., 0, :]
        length = np.sqrt((bond * bond).sum(-1))
        cost = (self._residuals(x) ** 2).sum(-1)
        return sulfurs, np.where(np.abs(length - SS_BOND) > _MAX_BOND_DEVIATION, np.inf, cost)

    def _grid_starts(self) -> Float[np.ndarray, "P K 4"]:
        """The best points of a grid of both chi 1, without bends, that are separate from each other."""
        n_pairs = len(self.first.cb)
        grid = np.stack(np.meshgrid(_GRID, _GRID, indexing="ij"), axis=-1).reshape(-1, 2)
        x = np.concatenate([grid, np.zeros_like(grid)], axis=1)
        residuals = self._residuals(np.broadcast_to(x, (n_pairs, *x.shape)), _GRID_BOND_WIDTH)
        cost = (residuals**2).sum(-1)
        starts = []
        for _ in range(_N_STARTS):
            best = x[cost.argmin(axis=1)]
            starts.append(best)
            is_near = np.cos(grid - best[:, None, :2]).min(axis=-1) > np.cos(_START_SEPARATION)
            cost = np.where(is_near, np.inf, cost)
        return np.stack(starts, axis=1)

    def _refine(self, x: Float[np.ndarray, "P K 4"]) -> Float[np.ndarray, "P K 4"]:
        """Take damped Gauss-Newton steps on both chi 1 and both bends."""
        diagonal = np.arange(4)
        for _ in range(_N_STEPS):
            residuals = self._residuals(x)
            moved = x[:, None] + _DIFFERENCE * np.eye(4)[:, None]
            jacobian = (self._residuals(moved) - residuals[:, None]) / _DIFFERENCE
            hessian = np.einsum("pikr,pjkr->pkij", jacobian, jacobian)
            hessian[..., diagonal, diagonal] *= 1.0 + _DAMPING
            hessian[..., diagonal, diagonal] += 1e-6
            gradient = np.einsum("pikr,pkr->pki", jacobian, residuals)
            step = np.linalg.solve(hessian, -gradient[..., None])[..., 0]
            x = x + np.clip(step, -_MAX_STEP, _MAX_STEP)
            x[..., 2:] = np.clip(x[..., 2:], -_MAX_BEND, _MAX_BEND)
        return x

    def _sulfurs(self, x: Float[np.ndarray, "P *k 4"]) -> Float[np.ndarray, "P *k 2 3"]:
        first = self.first.sulfurs(x[..., 0], x[..., 2])
        second = self.second.sulfurs(x[..., 1], x[..., 3])
        return np.stack([first, second], axis=-2)

    def _residuals(
        self, x: Float[np.ndarray, "P *k 4"], bond_width: float = _BOND_WIDTH
    ) -> Float[np.ndarray, "P *k 8"]:
        """Deviations from usual geometry, each in units of its width."""
        sulfurs = self._sulfurs(x)
        first, second = sulfurs[..., 0, :], sulfurs[..., 1, :]
        shape = (len(x), *(1,) * (x.ndim - 2), 3)
        cb_first, cb_second = self.first.cb.reshape(shape), self.second.cb.reshape(shape)
        bond = second - first
        length = np.sqrt((bond * bond).sum(-1))
        axis, back, ahead = unit(bond), unit(cb_first - first), unit(cb_second - second)
        cos_first, cos_second = (np.clip((arm * axis).sum(-1), -0.9999, 0.9999) for arm in (back, ahead))
        # Without cross products, which would cost more than everything else.
        sines = np.sqrt((1 - cos_first**2) * (1 - cos_second**2))
        cos_torsion = ((back * ahead).sum(-1) - cos_first * cos_second) / sines
        residuals = [
            (length - SS_BOND) / bond_width,
            (np.arccos(cos_first) - _SS_ANGLE) / _ANGLE_WIDTH,
            (np.arccos(-cos_second) - _SS_ANGLE) / _ANGLE_WIDTH,
            cos_torsion / _TORSION_WIDTH,
            x[..., 2] / _BEND_WIDTH,
            x[..., 3] / _BEND_WIDTH,
            np.cos(1.5 * x[..., 0]) / _ROTAMER_WIDTH,
            np.cos(1.5 * x[..., 1]) / _ROTAMER_WIDTH,
        ]
        return np.stack(residuals, axis=-1)
