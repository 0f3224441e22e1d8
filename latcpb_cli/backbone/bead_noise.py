"""How noisy beads at centres of mass are, from the Cα that are found from them.

The Cα of neighbours are predicted each by itself. Their distance is off that of a peptide the more, the
farther beads are from where those of a real structure would be.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["estimate_bead_noise"]

_EXACT_MISFIT, _VARIANCE_PER_MISFIT = 0.084, 15.0
"""Misfit (Å rms) of peptides up to which beads are exact, and variance (Å² per axis) of the beads' noise for
each Å² of misfit beyond. Held-out training chains with noise of known size have 11.5 of it; they are built
best with more."""
_MAX_MISFIT = 0.6
"""Å; larger ones count as this."""
_PRIOR_COUNT = 10
"""Peptides of exact beads that are added to those of a frame."""


def estimate_bead_noise(
    misfits: Float[np.ndarray, "F steps"], joined: Bool[np.ndarray, "F steps"]
) -> Float[np.ndarray, "F"]:
    """Estimate the standard deviation (Å per axis) of the noise of the beads of each frame.

    Parameters
    ----------
    misfits : numpy.ndarray, shape (F, L-1)
        Distance of neighbouring Cα as they are predicted, less that of the peptide that joins them, Å.
    joined : numpy.ndarray of bool, shape (F, L-1)
        Peptides between two residues with beads at centres of mass.
    """
    count = joined.sum(axis=1)
    square = np.minimum(np.abs(misfits), _MAX_MISFIT) ** 2
    excess = np.where(joined, square - _EXACT_MISFIT**2, 0.0).sum(axis=1) / (count + _PRIOR_COUNT)
    return np.asarray(np.sqrt(_VARIANCE_PER_MISFIT * np.maximum(excess, 0.0)))
