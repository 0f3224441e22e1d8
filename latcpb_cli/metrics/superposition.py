"""Superposition of frames on a reference by least squares."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["Motion", "fit"]

Array = np.ndarray
Motion = tuple[Float[Array, "F 3 3"], Float[Array, "F 3"]]
"""Rotations and translations (Å): ``x @ rotation + translation`` is the moved point."""


def fit(moving: Float[Array, "F N 3"], target: Float[Array, "F N 3"]) -> Motion:
    """Return the rigid motion of each frame that brings its points nearest to those of the target.

    Kabsch (1976, doi:10.1107/S0567739476001873), without reflections.

    Parameters
    ----------
    moving, target : numpy.ndarray, shape (F, N, 3)
        In Å; N may be 1 or 2, where the rotation is not unique.

    Returns
    -------
    Motion
        Rotations of shape (F, 3, 3) and translations of shape (F, 3).
    """
    moving, target = moving.astype(np.float64), target.astype(np.float64)
    centres = moving.mean(axis=1), target.mean(axis=1)
    covariance = np.einsum("fnk,fnl->fkl", moving - centres[0][:, None], target - centres[1][:, None])
    left, _, right = np.linalg.svd(covariance)
    right[:, 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    rotation = left @ right
    return rotation, centres[1] - np.einsum("fk,fkl->fl", centres[0], rotation)
