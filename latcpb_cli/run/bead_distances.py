"""How far beads of an output, recomputed from its atoms, are from those of the input."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.com_beads.definition import centers_of_mass
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["bead_rows", "center_distances"]


def center_distances(
    trace: CGTrace,
    chunk: FrameChunk,
    atoms: Float[np.ndarray, "F S L W 3"],
    missing: Bool[np.ndarray, "F S L"],
) -> Float[np.ndarray, "F S L"]:
    """Measure the distance (Å) of the centre of mass of each residue from its bead.

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
    numpy.ndarray of float64, shape (F, S, L)
        nan for residues that were not built, or whose beads are Cα.
    """
    distances = np.full(missing.shape, np.nan)
    if trace.com_beads is None or chunk.beads is None:
        return distances
    rows = np.flatnonzero(trace.com_beads)
    types = torch.from_numpy(trace.residue_types[rows])
    points = torch.from_numpy(atoms[:, :, rows, :N_SLOTS].astype(np.float64))
    step = centers_of_mass(points, types).numpy() - chunk.beads[:, None, rows]
    distances[:, :, rows] = np.sqrt((step * step).sum(-1))
    distances[missing] = np.nan
    return distances


def bead_rows(trace: CGTrace, distances: Float[np.ndarray, "F S L"]) -> list[dict[str, Any]]:
    """Return for each structure the mean and the largest distance, and the residue that has it."""
    rows: list[dict[str, Any]] = []
    for structure in distances.reshape(-1, distances.shape[-1]):
        known = np.flatnonzero(np.isfinite(structure))
        if not len(known):
            rows.append({})
            continue
        worst = known[np.argmax(structure[known])]
        rows.append(
            {
                "bead_distance_mean": round(float(structure[known].mean()), 4),
                "bead_distance_max": round(float(structure[worst]), 4),
                "worst_bead": trace.label(int(worst)),
            }
        )
    return rows
