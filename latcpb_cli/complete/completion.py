"""What completes the model's atoms: disulfides, and what modified residues have more."""

from __future__ import annotations

from typing import Literal

import numpy as np

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.complete.disulfides import make_disulfides
from latcpb_cli.complete.modified_atoms import attach_modified_atoms
from latcpb_cli.structure import AtomTopology, Bridge, CGTrace, box_vectors

__all__ = ["Disulfides", "complete"]

Disulfides = Literal["auto", "none"]


def complete(
    trace: CGTrace, atoms: np.ndarray, boxes: np.ndarray, disulfides: Disulfides = "auto"
) -> tuple[np.ndarray, list[list[tuple[Bridge, ...]]]]:
    """Join cysteines, then add the atoms of modified residues, structure by structure.

    Parameters
    ----------
    trace : CGTrace
    atoms : numpy.ndarray of float32, shape (F, S, L, 15, 3)
        In Å; SG of cysteines that are joined are moved in place.
    boxes : numpy.ndarray, shape (F, 6)
        Rows of zeros for no box.
    disulfides : {'auto', 'none'}

    Returns
    -------
    atoms : numpy.ndarray of float32, shape (F, S, L, W, 3)
        W is ``trace.n_slots``.
    bridges : list of F lists of S tuples
        The disulfides of each structure, as pairs of residue numbers.
    """
    n_samples = atoms.shape[1]
    cells = np.repeat(box_vectors(boxes), n_samples, axis=0)
    flat = atoms.reshape(-1, *atoms.shape[2:])
    joined: list[tuple[Bridge, ...]] = [() for _ in flat]
    if disulfides == "auto":
        present = AtomTopology.heavy_atoms(trace).present[:, :N_SLOTS]
        joined = [
            make_disulfides(trace, frame, present, cell) for frame, cell in zip(flat, cells, strict=True)
        ]
    wide = attach_modified_atoms(trace, flat, cells)
    rows = range(0, len(joined), n_samples)
    return wide.reshape(*atoms.shape[:3], *wide.shape[2:]), [joined[row : row + n_samples] for row in rows]
