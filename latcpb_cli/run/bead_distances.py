"""How far beads of an output, recomputed from its atoms, are from those of the input."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from latcpb_cli.com_beads.distances import bead_steps
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["BeadDistances", "bead_distances", "bead_rows"]

BeadDistances = dict[str, Float[np.ndarray, "F S L"]]
"""Distances (Å) by the kind of beads: ca, com, and sc for side chains; nan for residues without one."""


def bead_distances(
    trace: CGTrace,
    chunk: FrameChunk,
    atoms: Float[np.ndarray, "F S L W 3"],
    missing: Bool[np.ndarray, "F S L"],
) -> BeadDistances:
    """Measure the distance (Å) of each bead, recomputed from atoms, from that of the input.

    Parameters
    ----------
    trace : CGTrace
    chunk : FrameChunk
    atoms : numpy.ndarray, shape (F, S, L, W, 3)
        In Å.
    missing : numpy.ndarray of bool, shape (F, S, L)
        Residues that were not built.

    Returns
    -------
    dict of str to numpy.ndarray of float64, shape (F, S, L)
        See `latcpb_cli.com_beads.distances.bead_steps`.
    """
    steps = bead_steps(trace, chunk, atoms, missing)
    return {kind: np.sqrt((step * step).sum(-1)) for kind, step in steps.items()}


def bead_rows(trace: CGTrace, distances: BeadDistances) -> list[dict[str, Any]]:
    """Return for each structure and kind the mean and the largest distance, and the residue that has it.

    Returns
    -------
    list of F * S dict
        ``com_distance_mean`` (Å), ``com_distance_max`` (Å) and ``worst_com``, and so on for other kinds;
        nothing of a kind without beads, and no worst Cα where none has moved.
    """
    n_structures = max((kind.shape[0] * kind.shape[1] for kind in distances.values()), default=0)
    rows: list[dict[str, Any]] = [{} for _ in range(n_structures)]
    for kind, values in distances.items():
        for row, structure in zip(rows, values.reshape(n_structures, -1), strict=True):
            known = np.flatnonzero(np.isfinite(structure))
            if not len(known):
                continue
            worst = int(known[np.argmax(structure[known])])
            row[f"{kind}_distance_mean"] = round(float(structure[known].mean()), 4)
            row[f"{kind}_distance_max"] = round(float(structure[worst]), 4)
            if structure[worst] > 0:
                row[f"worst_{kind}"] = trace.labels[worst]
    return rows
