"""Torsion histograms of a structure and of its reference, over atoms that both have."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.metrics.torsions import HISTOGRAM_BINS, KL_ANGLES, divergences, torsion_histograms

__all__ = ["TorsionDistributions", "mean_divergences"]

Array = np.ndarray
Histograms = dict[str, Int[Array, "72"]]


class TorsionDistributions:
    """Histograms of the reference, and of each sample.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (M,)
    samples : int
    """

    def __init__(self, types: Int[Array, "M"], samples: int) -> None:
        self.types = types
        self.reference = _empty()
        self.generated = [_empty() for _ in range(samples)]

    def add_reference(self, torsions: Float[Array, "F M 7"]) -> None:
        """Add torsions (rad) of frames of the reference."""
        _add(self.reference, torsion_histograms(self.types, torsions))

    def add_generated(self, torsions: Float[Array, "N M 7"]) -> None:
        """Add torsions (rad) of all samples of some frames, the samples of a frame in a row."""
        for sample, histograms in enumerate(self.generated):
            _add(histograms, torsion_histograms(self.types, torsions[sample :: len(self.generated)]))


def mean_divergences(parts: Iterable[TorsionDistributions]) -> dict[str, dict[str, float | None]]:
    """Return KL and JS of the torsions of all structures, as the mean over samples.

    Pooled samples would give smaller values, the more samples there are. The number of
    samples is the smallest of all structures.

    Returns
    -------
    dict
        ``kl`` and ``js``, each by angle and ``mean``.
    """
    parts = list(parts)
    expected = _pooled(part.reference for part in parts)
    samples = zip(*(part.generated for part in parts), strict=False)
    by_sample = [divergences(expected, _pooled(sample)) for sample in samples]
    return {
        measure: {name: _mean(sample[measure][name] for sample in by_sample) for name in values}
        for measure, values in by_sample[0].items()
    }


def _empty() -> Histograms:
    return {name: np.zeros(HISTOGRAM_BINS, dtype=np.int64) for name in KL_ANGLES}


def _add(total: Histograms, histograms: Histograms) -> None:
    for name, counts in histograms.items():
        total[name] += counts


def _pooled(histograms: Iterable[Histograms]) -> Histograms:
    total = _empty()
    for part in histograms:
        _add(total, part)
    return total


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
