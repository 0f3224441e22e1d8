"""Scores that rise with the probability, or with the error, of the conformations given.

They follow from the predictions of the model alone; a `Calibration` turns them into probabilities and Å.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtr

from latcpb_cli.chem.residues import PRO
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.geometry.links import next_rows
from latcpb_cli.metrics.accuracy import CHI_TOLERANCE
from latcpb_cli.metrics.torsions import chi_periods

__all__ = ["Scores", "backbone_score", "chi_scores", "has_chi"]

_MIN_STD = 0.1
"""rad."""
_RADII = np.array([0.38, 0.53, 1.74])
"""Distances (Å) of N, C and O of a peptide from its Cα-Cα axis."""
_END_VARIANCE = np.array([1.2, 2.0, 2.0])
"""Squared error (Å²) of N where no peptide precedes it, and of C and O where none follows: with these values,
chain ends have the errors of inner residues with the same score (`benchmarks/calibrate_confidence.py`)."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of F frames, S samples and L residues.

    Attributes
    ----------
    chi : numpy.ndarray of float64, shape (F, S, L, 4)
        Predicted probability that chi 1 to k are all within 40 degrees of the truth; NaN without chi k, and
        for proline.
    backbone : numpy.ndarray of float64, shape (F, S, L)
        Predicted root mean square error of N, C and O, Å.
    """

    chi: Float[np.ndarray, "F S L 4"]
    backbone: Float[np.ndarray, "F S L"]


def has_chi(types: Int[np.ndarray, "L"]) -> Bool[np.ndarray, "L 4"]:
    """Return which chi angles are scored: those of all residue types but proline, whose ring fixes them."""
    return np.asarray(chi_mask()[types] & (types != PRO)[:, None])


def chi_scores(
    types: Int[np.ndarray, "L"],
    given: Float[np.ndarray, "*n L 4"],
    probability: Float[np.ndarray, "*n L states"],
    chi: Float[np.ndarray, "*n L states 4"],
    chi_std: Float[np.ndarray, "*n L 4"],
) -> Float[np.ndarray, "*n L 4"]:
    """Return the probability that chi 1 to k are within 40 degrees of the chi angles given.

    Within a rotamer, chi angles are normally distributed.

    Parameters
    ----------
    types
        Residue types.
    given
        Chi angles of the structures, rad.
    probability, chi, chi_std
        See `Prediction`.
    """
    period = chi_periods()[types][:, None]
    distance = np.abs(chi.astype(np.float64) - given[..., None, :]) % period
    distance = np.minimum(distance, period - distance)
    std = np.maximum(chi_std.astype(np.float64), _MIN_STD)[..., None, :]
    within = ndtr((CHI_TOLERANCE - distance) / std) - ndtr((-CHI_TOLERANCE - distance) / std)
    all_within = np.cumprod(np.where(has_chi(types)[:, None], within, 1.0), axis=-1)
    score = (probability[..., None].astype(np.float64) * all_within).sum(-2)
    return np.where(has_chi(types), score, np.nan)


def backbone_score(
    shift: Float[np.ndarray, "F S L 3"],
    peptide_variance: Float[np.ndarray, "F S L"],
    linked: Bool[np.ndarray, "F L"],
    next_residue: Int[np.ndarray, "L"] | None = None,
) -> Float[np.ndarray, "F S L"]:
    """Return the predicted root mean square error (Å) of N, C and O of each residue.

    Parameters
    ----------
    shift
        Squared distance (Å²) of N, C and O from their expected positions.
    peptide_variance
        See `Prediction`.
    linked
        Whether a peptide joins each residue to the next.
    next_residue
        See `CGTrace.next_residue`.
    """
    previous = np.argsort(next_rows(next_residue, linked.shape[1]))
    variance = peptide_variance.astype(np.float64)
    after = linked[:, None, :, None]
    before = after[:, :, previous]
    rotation = np.stack([variance[:, :, previous], variance, variance], axis=-1)
    joined = np.concatenate(np.broadcast_arrays(before, after, after), axis=-1)
    squares = shift + np.where(joined, _RADII**2 * rotation, _END_VARIANCE)
    return np.asarray(np.sqrt(squares.mean(-1)))
