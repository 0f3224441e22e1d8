"""How likely a distance of neighbouring beads is, if each of the two is a Cα, a centre of mass, or neither.

Two Cα that a peptide joins are at one distance. A centre of mass is the farther from its Cα, and the less at
one distance, the larger the side chain is, so that distances follow the residue types. Means and variances
add up over the two residues (``benchmarks/measure_bead_distances.py``, held-out training chains).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from latcpb_cli.chem.residues import PRO

__all__ = ["CA_KIND", "COM_KIND", "N_KINDS", "OTHER_KIND", "distance_log_densities"]

CA_KIND, COM_KIND, OTHER_KIND = 0, 1, 2
N_KINDS = 3

_FIRST_MEAN = np.array(
    [1.71, 3.27, 2.48, 2.44, 2.25, 2.59, 2.81, 1.44, 2.70, 2.31, 2.42, 2.86, 2.78, 3.05, 2.19, 1.89, 2.14,
     3.34, 3.44, 2.02]
)  # fmt: skip
_SECOND_MEAN = np.array(
    [1.90, 3.53, 2.38, 2.37, 2.54, 2.83, 2.71, 1.91, 2.58, 2.38, 2.52, 2.88, 2.68, 2.59, 1.69, 2.09, 2.26,
     3.34, 2.80, 2.14]
)  # fmt: skip
_FIRST_VARIANCE = np.array(
    [-.011, .562, .147, .175, .071, .192, .181, .038, .407, -.005, .069, .278, .117, .327, .129, .014, .035,
     .341, .408, -.038]
)  # fmt: skip
_SECOND_VARIANCE = np.array(
    [.020, .290, .119, .124, -.002, .171, .250, .058, .369, .013, .053, .277, .150, .595, -.014, .040, .024,
     .379, .483, .040]
)  # fmt: skip
"""Parts (Å, Å²) of the first and the second residue in the distance of two centres of mass."""
_AFTER_CA_MEAN = np.array(
    [3.93, 5.49, 4.35, 4.46, 4.41, 4.79, 4.74, 3.92, 4.66, 4.36, 4.46, 4.89, 4.68, 4.67, 3.64, 4.09, 4.19,
     5.21, 4.66, 4.21]
)  # fmt: skip
_AFTER_CA_VARIANCE = np.array(
    [.020, .294, .113, .110, .079, .162, .216, .057, .356, .021, .084, .242, .119, .417, .024, .027, .014,
     .461, .574, .013]
)  # fmt: skip
_BEFORE_CA_MEAN = np.array(
    [3.42, 5.14, 4.27, 4.25, 3.88, 4.45, 4.58, 3.22, 4.50, 4.07, 4.14, 4.66, 4.64, 4.84, 3.98, 3.63, 3.86,
     5.24, 5.35, 3.80]
)  # fmt: skip
_BEFORE_CA_VARIANCE = np.array(
    [.010, .295, .132, .132, .075, .186, .135, .024, .519, .031, .079, .220, .165, .441, .039, .032, .014,
     .663, .511, .010]
)  # fmt: skip
"""Distance (Å, Å²) of a centre of mass from the Cα before it, and from the Cα after it."""
_MIN_VARIANCE = 0.03
_TRANS, _CIS, _CA_STD = 3.80, 2.95, 0.05
_CIS_PROBABILITY, _CIS_PROLINE_PROBABILITY = 0.001, 0.05
"""Distance (Å) of Cα that a trans or cis peptide joins; how often it is cis, elsewhere and before proline."""
_OUTLIER_PROBABILITY, _OUTLIER = 0.02, (4.8, 1.5)
"""How often a distance is of none of these, and then its mean and standard deviation (Å)."""
_OTHER = ((4.9, 0.8), (5.3, 1.3))
"""Mean and standard deviation (Å) of distances of beads that are neither, of two sorts: Cβ or side chains."""


def distance_log_densities(
    types: Int64[np.ndarray, "L"], distances: Float[np.ndarray, "steps"], noise: float
) -> Float[np.ndarray, "steps kinds kinds"]:
    """Return the log density of the distance of each bead to the next, by the kinds of the two.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
        Residue indices.
    distances : numpy.ndarray, shape (L-1,)
        Å; where it is nan, all kinds are equally likely.
    noise : float
        Standard deviation (Å) that the noise of the beads adds to distances.

    Returns
    -------
    numpy.ndarray, shape (L-1, 3, 3)
        Kinds are `CA_KIND`, `COM_KIND` and `OTHER_KIND`.
    """
    first, second, extra = types[:-1], types[1:], noise**2
    outlier = _OUTLIER_PROBABILITY * _density(distances, *_OUTLIER)

    def with_outliers(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        std = np.sqrt(np.maximum(variance, _MIN_VARIANCE) + extra)
        return (1.0 - _OUTLIER_PROBABILITY) * _density(distances, mean, std) + outlier

    density = np.empty((len(distances), N_KINDS, N_KINDS))
    other = np.mean([_density(distances, *sort) for sort in _OTHER], axis=0)
    density[:] = other[:, None, None]
    cis = np.where(second == PRO, _CIS_PROLINE_PROBABILITY, _CIS_PROBABILITY)
    std = np.sqrt(_CA_STD**2 + extra)
    # Noise across the bond makes it longer.
    trans = _density(distances, _TRANS + 0.5 * extra / _TRANS, std)
    bond = (1.0 - cis) * trans + cis * _density(distances, _CIS, std)
    density[:, CA_KIND, CA_KIND] = (1.0 - _OUTLIER_PROBABILITY) * bond + outlier
    density[:, COM_KIND, COM_KIND] = with_outliers(
        _FIRST_MEAN[first] + _SECOND_MEAN[second], _FIRST_VARIANCE[first] + _SECOND_VARIANCE[second]
    )
    density[:, CA_KIND, COM_KIND] = with_outliers(_AFTER_CA_MEAN[second], _AFTER_CA_VARIANCE[second])
    density[:, COM_KIND, CA_KIND] = with_outliers(_BEFORE_CA_MEAN[first], _BEFORE_CA_VARIANCE[first])
    density[np.isnan(distances)] = 1.0
    return np.asarray(np.log(density))


def _density(
    values: Float[np.ndarray, "N"], mean: float | Float[np.ndarray, "N"], std: float | Float[np.ndarray, "N"]
) -> Float[np.ndarray, "N"]:
    """Density of a normal distribution; never zero."""
    scaled = (values - mean) / std
    return np.asarray(np.exp(np.maximum(-0.5 * scaled * scaled, -700.0)) / (np.sqrt(2.0 * np.pi) * std))
