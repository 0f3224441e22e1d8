"""Cα-Cα distances and virtual angles: how unusual they are, and moving Cα into their usual ranges.

Coarse-grained beads are often further apart, or nearer to each other, than a
planar peptide allows, and bend where no N-CA-C angle can. On request, distances
and virtual angles are brought into the ranges of proteins, with a limit on the
displacement of each bead.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.ideal import cis_cutoff, peptide_shapes

__all__ = ["bond_bounds", "spacing_anomaly", "satisfy_distance_bounds"]

_MAX_CRYSTAL_DEVIATION = 0.08
"""Å off the ideal Cα-Cα distance: the 99th percentile of the crystal structures trained on."""
_ANOMALY_RAMP = 0.04  # Å of further deviation over which the anomaly rises to 1
_BOND_TOLERANCE = 0.05  # Å off the ideal Cα-Cα distance at which beads are not moved
_VIRTUAL_ANGLES = np.radians([88.0, 138.0])
"""Range of the angle between three Cα: 5th and 95th percentile of the crystal structures trained on."""
_N_ITERATIONS = 100
_RELAXATION = 0.4  # fraction of each correction that is applied; a bead takes part in up to four of them

Bounds = tuple[Float[np.ndarray, "*b n"], Float[np.ndarray, "*b n"]]


def satisfy_distance_bounds(
    positions: Float[np.ndarray, "F L 3"],
    types: Int[np.ndarray, "L"],
    linked: Bool[np.ndarray, "F L"],
    tolerance: float,
) -> Float[np.ndarray, "F L 3"]:
    """Move Cα towards the distances and virtual angles that peptides can span.

    Parameters
    ----------
    positions : numpy.ndarray of float32, shape (F, L, 3)
        Cα in Å.
    types : numpy.ndarray of int64, shape (L,)
        Residue types.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins residue i to i+1.
    tolerance : float
        Maximum displacement of a Cα, Å.

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, 3)
        Beads without a violation are unchanged to the bit. The result for a
        frame does not depend on the others.
    """
    start = positions.astype(np.float64)
    bounds = (1, bond_bounds(start, types, linked)), (2, _span_bounds(start, types, linked))
    displacement = np.zeros_like(start)
    for _ in range(_N_ITERATIONS):
        points = start + displacement
        change = np.zeros_like(start)
        for gap, (low, high) in bounds:
            step = points[:, gap:] - points[:, :-gap]
            length = np.sqrt((step * step).sum(-1)) + 1e-9
            violation = length - np.clip(length, low, high)
            correction = (0.5 * _RELAXATION * violation / length)[..., None] * step
            change[:, :-gap] += correction
            change[:, gap:] -= correction
        displacement += change
        distance = np.sqrt((displacement * displacement).sum(-1, keepdims=True))
        displacement *= np.minimum(1.0, tolerance / np.maximum(distance, 1e-9))
    unmoved = (displacement == 0.0).all(-1, keepdims=True)
    return np.where(unmoved, positions, (start + displacement).astype(np.float32))


def spacing_anomaly(
    positions: Float[np.ndarray, "F L 3"], types: Int[np.ndarray, "L"], linked: Bool[np.ndarray, "F L"]
) -> Float[np.ndarray, "F L"]:
    """Measure how unusual the distances from each Cα to the one before and after it are.

    Parameters
    ----------
    positions : numpy.ndarray, shape (F, L, 3)
        Cα in Å.
    types : numpy.ndarray of int64, shape (L,)
        Residue types.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins residue i to i+1.

    Returns
    -------
    numpy.ndarray of float64, shape (F, L)
        0 for distances as in crystal structures, rising to 1 for distances 0.12 Å off the ideal one.
    """
    step = np.diff(positions.astype(np.float64), axis=1)
    deviation = np.abs(np.sqrt((step * step).sum(-1)) - _ideal_distance(positions, types))
    excess = (deviation - _MAX_CRYSTAL_DEVIATION) / _ANOMALY_RAMP
    to_next = linked[:, :-1] * np.clip(excess, 0.0, 1.0)
    anomaly = np.zeros(linked.shape)
    anomaly[:, :-1] = to_next
    anomaly[:, 1:] = np.maximum(anomaly[:, 1:], to_next)
    return anomaly


def bond_bounds(
    ca: Float[np.ndarray, "*b L 3"], types: Int[np.ndarray, "L"], linked: Bool[np.ndarray, "*b L"]
) -> Bounds:
    """Return the range of the distance (Å) from each Cα to the next: (..., L-1) each, unbounded at breaks."""
    ideal, joined = _ideal_distance(ca, types), linked[..., :-1]
    low, high = ideal - _BOND_TOLERANCE, ideal + _BOND_TOLERANCE
    return np.where(joined, low, 0.0), np.where(joined, high, np.inf)


def _span_bounds(
    ca: Float[np.ndarray, "*b L 3"], types: Int[np.ndarray, "L"], linked: Bool[np.ndarray, "*b L"]
) -> Bounds:
    """Range of the distance (Å) to the Cα after the next: (..., L-2) each, unbounded across breaks."""
    ideal, joined = _ideal_distance(ca, types), linked[..., :-1]
    first, second = ideal[..., :-1], ideal[..., 1:]
    both = joined[..., :-1] & joined[..., 1:]
    low, high = (
        np.sqrt(first**2 + second**2 - 2 * first * second * np.cos(angle)) for angle in _VIRTUAL_ANGLES
    )
    return np.where(both, low, 0.0), np.where(both, high, np.inf)


def _ideal_distance(
    ca: Float[np.ndarray, "*b L 3"], types: Int[np.ndarray, "L"]
) -> Float[np.ndarray, "*b L-1"]:
    """Distance (Å) that an ideal peptide to the next Cα spans, cis or trans."""
    trans, cis = (shape.ca_ca for shape in peptide_shapes())
    step = ca[..., 1:, :] - ca[..., :-1, :]
    return np.where(np.sqrt((step * step).sum(-1)) < cis_cutoff()[types[1:]], cis, trans)
