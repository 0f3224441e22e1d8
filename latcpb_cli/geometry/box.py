"""Periodic boxes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["box_vectors"]


def box_vectors(boxes: Float[np.ndarray, "F 6"]) -> Float[np.ndarray, "F 3 3"]:
    """Convert box lengths and angles into box vectors.

    Parameters
    ----------
    boxes : numpy.ndarray, shape (F, 6)
        a, b, c (Å), alpha, beta, gamma (degrees); a row of zeros is no box.

    Returns
    -------
    numpy.ndarray of float64, shape (F, 3, 3)
        Row k of each matrix is vector k; zeros where there is no box.
    """
    a, b, c = boxes[:, :3].T.astype(np.float64)
    # cos(90°) is 6e-17 in floating point; boxes at right angles stay exact.
    cosines = np.cos(np.deg2rad(boxes[:, 3:].astype(np.float64)))
    cosines[np.abs(cosines) < 1e-12] = 0.0
    cos_alpha, cos_beta, cos_gamma = cosines.T
    sin_gamma = np.sqrt(1.0 - cos_gamma**2)
    vectors = np.zeros((len(boxes), 3, 3))
    present = (a > 0) & (sin_gamma > 0)
    scale = np.where(present, sin_gamma, 1.0)
    vectors[:, 0, 0] = a
    vectors[:, 1, 0] = b * cos_gamma
    vectors[:, 1, 1] = b * sin_gamma
    vectors[:, 2, 0] = c * cos_beta
    vectors[:, 2, 1] = c * (cos_alpha - cos_beta * cos_gamma) / scale
    height = c**2 - vectors[:, 2, 0] ** 2 - vectors[:, 2, 1] ** 2
    vectors[:, 2, 2] = np.sqrt(np.maximum(height, 0.0))
    vectors[~present | (height <= 0)] = 0.0
    return vectors
