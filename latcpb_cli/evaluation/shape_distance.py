"""How far the distributions of sizes are from those of the reference, whatever the frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.stats import wasserstein_distance

from latcpb_cli.evaluation.records import Column, FrameTable

__all__ = ["SHAPE_DISTANCES", "with_shape_distances"]

SHAPE_DISTANCES = ("radius_of_gyration", "end_to_end", "sasa")
"""Figures of the group ``shape`` whose distributions are compared."""


def with_shape_distances(method: Column, reference: Column) -> Column:
    """Return the column with ``shape_distance`` in its summary.

    The distance is the first Wasserstein distance of the values over frames, as the
    mean over structures; structures of one name belong together, and the only one of
    each column whatever the names.
    """
    names = [part.name for part in method.structures]
    partners = [part.name for part in reference.structures]
    pairs = (
        [(names[0], partners[0])] if len(names) == len(partners) == 1 else [(name, name) for name in names]
    )
    distances: dict[str, float | None] = {}
    for figure in SHAPE_DISTANCES:
        values = [_distance(method.frames, reference.frames, pair, f"shape.{figure}") for pair in pairs]
        known = [value for value in values if value is not None]
        distances[figure] = float(np.mean(known)) if known else None
    return replace(method, summary=method.summary | {"shape_distance": distances})


def _distance(frames: FrameTable, reference: FrameTable, pair: tuple[str, str], name: str) -> float | None:
    """Distance of one structure from its reference; None where either was not measured."""
    samples = [_values(table, part, name) for table, part in zip((frames, reference), pair, strict=True)]
    return float(wasserstein_distance(*samples)) if all(len(sample) for sample in samples) else None


def _values(table: FrameTable, structure: str, name: str) -> Float[np.ndarray, "n"]:
    values = table.values[name][table.structure == structure]
    return np.asarray(values[np.isfinite(values)])
