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

__all__ = [
    "Rows", "bond_bounds", "chain_rows", "fit_distances", "ideal_distance", "spacing_anomaly",
    "satisfy_distance_bounds",
]  # fmt: skip

_MAX_CRYSTAL_DEVIATION = 0.08
"""Å off the ideal Cα-Cα distance: the 99th percentile of the crystal structures trained on."""
_ANOMALY_RAMP = 0.04  # Å of further deviation over which the anomaly rises to 1
_VIRTUAL_ANGLES = np.radians([83.5, 148.2])
"""Range of the angle between three Cα: 0.5th and 99.5th percentile of the crystal structures trained on."""
_N_ITERATIONS = 100
_N_SWEEPS = 40  # of `fit_distances`
_RELAXATION = 0.4  # fraction of each correction that is applied; a bead takes part in up to four of them

Rows = slice | Int[np.ndarray, "L"]
Bounds = tuple[Float[np.ndarray, "*b n"], Float[np.ndarray, "*b n"]]


def satisfy_distance_bounds(
    positions: Float[np.ndarray, "F L 3"],
    types: Int[np.ndarray, "L"],
    linked: Bool[np.ndarray, "F L"],
    tolerance: float | Float[np.ndarray, "F L"],
    next_residue: Int[np.ndarray, "L"] | None = None,
) -> Float[np.ndarray, "F L 3"]:
    """Move Cα towards the distances and virtual angles that peptides can span.

    Parameters
    ----------
    positions : numpy.ndarray of float32, shape (F, L, 3)
        Cα in Å.
    types : numpy.ndarray of int64, shape (L,)
        Residue types.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.
    tolerance : float or numpy.ndarray, shape (F, L)
        Maximum displacement of each Cα, Å. Of two Cα, the one with the larger tolerance moves more.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.

    Returns
    -------
    numpy.ndarray of float32, shape (F, L, 3)
        Beads without a violation are unchanged to the bit. The result for a
        frame does not depend on the others.
    """
    start, limit = positions.astype(np.float64), np.broadcast_to(tolerance, linked.shape)[..., None]
    bounds = [
        (rows, _mobility(limit, rows), limits)
        for rows, limits in (
            (chain_rows(next_residue), bond_bounds(start, types, linked, next_residue)),
            (chain_rows(next_residue, 2), _span_bounds(start, types, linked, next_residue)),
        )
    ]
    displacement = np.zeros_like(start)
    for _ in range(_N_ITERATIONS):
        points = start + displacement
        change = np.zeros_like(start)
        for (one, two), (first_part, second_part), (low, high) in bounds:
            step = points[:, two] - points[:, one]
            length = np.sqrt((step * step).sum(-1)) + 1e-9
            violation = length - np.clip(length, low, high)
            correction = (_RELAXATION * violation / length)[..., None] * step
            change[:, one] += first_part * correction
            change[:, two] -= second_part * correction
        displacement += change
        distance = np.sqrt((displacement * displacement).sum(-1, keepdims=True))
        displacement *= np.minimum(1.0, limit / np.maximum(distance, 1e-9))
    unmoved = (displacement == 0.0).all(-1, keepdims=True)
    return np.where(unmoved, positions, (start + displacement).astype(np.float32))


def _mobility(
    limit: Float[np.ndarray, "F L 1"], rows: tuple[Rows, Rows]
) -> tuple[Float[np.ndarray, "F steps 1"], Float[np.ndarray, "F steps 1"]]:
    """Parts of a correction that the first and the second of two Cα get, by their squared tolerances."""
    first, second = (limit[:, side] ** 2 for side in rows)
    part = np.divide(first, first + second, out=np.full(first.shape, 0.5), where=first + second > 0)
    return part, 1.0 - part


def spacing_anomaly(
    positions: Float[np.ndarray, "F L 3"],
    types: Int[np.ndarray, "L"],
    linked: Bool[np.ndarray, "F L"],
    next_residue: Int[np.ndarray, "L"] | None = None,
) -> Float[np.ndarray, "F L"]:
    """Measure how unusual the distances from each Cα to the one before and after it are.

    Parameters
    ----------
    positions : numpy.ndarray, shape (F, L, 3)
        Cα in Å.
    types : numpy.ndarray of int64, shape (L,)
        Residue types.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.

    Returns
    -------
    numpy.ndarray of float64, shape (F, L)
        0 for distances as in crystal structures, rising to 1 for distances 0.12 Å off the ideal one.
    """
    (one, two), points = chain_rows(next_residue), positions.astype(np.float64)
    step = points[:, two] - points[:, one]
    ideal = ideal_distance(positions, types, next_residue)
    deviation = np.abs(np.sqrt((step * step).sum(-1)) - ideal)
    excess = (deviation - _MAX_CRYSTAL_DEVIATION) / _ANOMALY_RAMP
    to_next = linked[:, one] * np.clip(excess, 0.0, 1.0)
    anomaly = np.zeros(linked.shape)
    anomaly[:, one] = to_next
    anomaly[:, two] = np.maximum(anomaly[:, two], to_next)
    return anomaly


def chain_rows(next_residue: Int[np.ndarray, "L"] | None, gap: int = 1) -> tuple[Rows, Rows]:
    """Return rows of residues, and those of the residues ``gap`` further on; slices without rings."""
    if next_residue is None:
        return slice(None, -gap), slice(gap, None)
    rows = following = np.arange(len(next_residue))
    for _ in range(gap):
        following = next_residue[following]
    return rows, following


def bond_bounds(
    ca: Float[np.ndarray, "*b L 3"],
    types: Int[np.ndarray, "L"],
    linked: Bool[np.ndarray, "*b L"],
    next_residue: Int[np.ndarray, "L"] | None = None,
) -> Bounds:
    """Return the range of the distance (Å) of each two rows of `chain_rows`, unbounded at breaks."""
    ideal, joined = ideal_distance(ca, types, next_residue), linked[..., chain_rows(next_residue)[0]]
    low, high = ideal - _MAX_CRYSTAL_DEVIATION, ideal + _MAX_CRYSTAL_DEVIATION
    return np.where(joined, low, 0.0), np.where(joined, high, np.inf)


def _span_bounds(
    ca: Float[np.ndarray, "*b L 3"],
    types: Int[np.ndarray, "L"],
    linked: Bool[np.ndarray, "*b L"],
    next_residue: Int[np.ndarray, "L"] | None,
) -> Bounds:
    """Range of the distance (Å) to the Cα after the next, unbounded across breaks."""
    one, two = chain_rows(next_residue)
    ideal, joined = ideal_distance(ca, types, next_residue), linked[..., one]
    first, second = ideal[..., one], ideal[..., two]
    both = joined[..., one] & joined[..., two]
    low, high = (
        np.sqrt(first**2 + second**2 - 2 * first * second * np.cos(angle)) for angle in _VIRTUAL_ANGLES
    )
    return np.where(both, low, 0.0), np.where(both, high, np.inf)


def ideal_distance(
    ca: Float[np.ndarray, "*b L 3"], types: Int[np.ndarray, "L"], next_residue: Int[np.ndarray, "L"] | None
) -> Float[np.ndarray, "*b steps"]:
    """Return the distance (Å) that an ideal peptide to the next Cα spans, cis or trans by the actual one."""
    trans, cis = (shape.ca_ca for shape in peptide_shapes())
    one, two = chain_rows(next_residue)
    step = ca[..., two, :] - ca[..., one, :]
    return np.where(np.sqrt((step * step).sum(-1)) < cis_cutoff()[types[two]], cis, trans)


def fit_distances(
    ca: Float[np.ndarray, "F L 3"], std: Float[np.ndarray, "F L"], target: Float[np.ndarray, "F steps"]
) -> Float[np.ndarray, "F L 3"]:
    """Move Cα so that neighbours have given distances, the less certain of two more.

    Parameters
    ----------
    ca : numpy.ndarray of float64, shape (F, L, 3)
        Å.
    std : numpy.ndarray, shape (F, L)
        Standard deviations (Å); Cα with zero stay.
    target : numpy.ndarray, shape (F, L-1)
        Distance (Å) of each Cα from the next; nan where no peptide joins them.
    """
    ca, variance = ca.copy(), std**2
    total = variance[:, :-1] + variance[:, 1:]
    free = np.isfinite(target) & (total > 0)
    part = np.divide(variance[:, :-1], total, out=np.zeros_like(total), where=free)
    other = np.where(free, 1.0 - part, 0.0)
    wanted = np.where(free, target, 0.0)
    for _ in range(_N_SWEEPS):
        for parity in (0, 1):
            first, second, links = slice(parity, -1, 2), slice(parity + 1, None, 2), slice(parity, None, 2)
            step = ca[:, second] - ca[:, first]
            length = np.sqrt((step * step).sum(-1)) + 1e-9
            excess = ((length - wanted[:, links]) / length)[..., None] * step
            ca[:, first] += part[:, links, None] * excess
            ca[:, second] -= other[:, links, None] * excess
    return ca
