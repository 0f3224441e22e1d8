"""Bootstrap intervals of figures, over structures or over frames."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.evaluation.definitions import DEFINITIONS
from latcpb_cli.evaluation.records import FrameTable
from latcpb_cli.evaluation.summary import frame_names

__all__ = ["bootstrap_intervals", "ratio_interval"]

_N_RESAMPLES, _SEED = 1000, 0
_BOUNDS = (2.5, 97.5)
"""Percentiles of an interval of 95 %."""

Array = np.ndarray


def bootstrap_intervals(frames: FrameTable) -> dict[str, tuple[float, float]]:
    """Return the interval of each figure (Efron 1979, doi:10.1214/aos/1176344552).

    Structures are sampled with replacement where there are several, else frames with
    all their samples, else the samples of the only frame. Frames of a trajectory
    resemble the frames before them; their intervals are too narrow.

    Returns
    -------
    dict of str to (float, float)
        By the name in the `FrameTable`, in the unit of the tables. Empty for a single unit.
    """
    unit = _units(frames)
    intervals = {}
    for entry in DEFINITIONS:
        for name in frame_names(entry):
            if name not in frames.values:
                continue
            numerator, denominator = _terms(frames, name, entry.kind, unit)
            interval = ratio_interval(numerator, denominator)
            if interval is not None:
                scale = {"percent": 100.0, "count": float(denominator.sum())}.get(entry.kind, 1.0)
                intervals[name] = interval[0] * scale, interval[1] * scale
    return intervals


def ratio_interval(
    numerator: Float[Array, "U"], denominator: Float[Array, "U"]
) -> tuple[float, float] | None:
    """Return the interval of a ratio of sums over U units, which are sampled with replacement.

    A mean over units is such a ratio, with ones below, and so is a percentage of pooled
    cases. None for a single unit, and without a case.
    """
    if len(numerator) < 2:
        return None
    draws = _draws(len(numerator))
    total = draws @ denominator
    values = np.divide(draws @ numerator, total, out=np.full(_N_RESAMPLES, np.nan), where=total > 0)
    if not np.isfinite(values).any():
        return None
    low, high = np.nanpercentile(values, _BOUNDS)
    return float(low), float(high)


@cache
def _draws(n_units: int) -> Int[Array, "resamples U"]:
    """How often each resample has each unit."""
    generator = np.random.default_rng(_SEED)
    return generator.multinomial(n_units, np.full(n_units, 1 / n_units), _N_RESAMPLES)


def _units(frames: FrameTable) -> Int[Array, "N"]:
    """Number of the unit that each row belongs to."""
    for starts in (frames.structure[1:] != frames.structure[:-1], frames.sample[1:] == 0):
        if starts.any():
            return np.asarray(np.r_[0, np.cumsum(starts)])
    return np.arange(len(frames.sample))


def _terms(
    frames: FrameTable, name: str, kind: str, unit: Int[Array, "N"]
) -> tuple[Float[Array, "U"], Float[Array, "U"]]:
    """Numerator and denominator of each unit."""
    values = frames.values[name]
    finite = np.isfinite(values)
    total = np.bincount(unit, np.where(finite, values, 0.0))
    if kind in ("percent", "count"):
        return total, np.bincount(unit, np.nan_to_num(frames.values[f"{name}_of"]))
    cases = np.bincount(unit, finite)
    mean = np.divide(total, cases, out=np.zeros(len(total)), where=cases > 0)
    return mean, (cases > 0).astype(float)
