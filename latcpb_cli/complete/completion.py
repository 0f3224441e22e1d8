"""Completion of built structures: disulfides, and the extra atoms of modified residues."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.choices import Disulfides
from latcpb_cli.complete.disulfides import make_disulfides
from latcpb_cli.complete.modified_atoms import attach_modified_atoms
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.structure import AtomTopology, Bridge, CGTrace

__all__ = ["complete"]


def complete(
    trace: CGTrace,
    atoms: Float[np.ndarray, "F S L 15 3"],
    boxes: Float[np.ndarray, "F 6"],
    disulfides: Disulfides = "auto",
) -> tuple[Float[np.ndarray, "F S L W 3"], list[list[tuple[Bridge, ...]]]]:
    """Make disulfides and attach the extra atoms of modified residues, structure by structure.

    Parameters
    ----------
    trace : CGTrace
    atoms : numpy.ndarray of float32, shape (F, S, L, 15, 3)
        In Å. SG of cysteines with a disulfide move in place.
    boxes : numpy.ndarray, shape (F, 6)
        Lengths (Å) and angles (degrees); rows of zeros for no box.
    disulfides : {'auto', 'none'}
        Whether disulfides are made.

    Returns
    -------
    atoms : numpy.ndarray of float32, shape (F, S, L, W, 3)
        W is ``trace.n_slots``.
    bridges : list of F lists of S tuples
        Disulfides of each structure, as pairs of residue indices.
    """
    n_samples = atoms.shape[1]
    cells = np.repeat(box_vectors(boxes), n_samples, axis=0)
    structures = atoms.reshape(-1, *atoms.shape[2:])
    bridges: list[tuple[Bridge, ...]] = [() for _ in structures]
    if disulfides == "auto":
        present = AtomTopology.heavy_atoms(trace).present[:, :N_SLOTS]
        bridges = [
            make_disulfides(trace, structure, present, cell)
            for structure, cell in zip(structures, cells, strict=True)
        ]
    completed = attach_modified_atoms(trace, structures, cells)
    by_frame = [bridges[first : first + n_samples] for first in range(0, len(bridges), n_samples)]
    return completed.reshape(*atoms.shape[:3], *completed.shape[2:]), by_frame
