"""How far beads that are recomputed from atoms are from those of an input."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float

from latcpb_cli.chem.residues import CA_SLOT, N_SLOTS
from latcpb_cli.com_beads.definition import bead_positions, bead_weights
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["BEAD_KINDS", "BeadSteps", "bead_steps"]

BEAD_KINDS = ("ca", "com", "sc")
"""Cα, centres of mass of residues, and centres of side chains."""
BeadSteps = dict[str, Float[np.ndarray, "F S L 3"]]
"""Vectors (Å) from the beads of the input, by their kind; nan for residues without such a bead."""


def bead_steps(
    trace: CGTrace,
    chunk: FrameChunk,
    atoms: Float[np.ndarray, "F S L W 3"],
    missing: Bool[np.ndarray, "F S L"],
) -> BeadSteps:
    """Return how far each bead, recomputed from atoms, is from that of the input.

    Parameters
    ----------
    trace : CGTrace
    chunk : FrameChunk
        With Cα in ``positions``, and the beads that are centres of atoms in ``beads``.
    atoms : numpy.ndarray, shape (F, S, L, W, 3)
        In Å.
    missing : numpy.ndarray of bool, shape (F, S, L)
        Residues that lack atoms.

    Returns
    -------
    dict of str to numpy.ndarray of float64, shape (F, S, L, 3)
        The kinds that the trace has: ``ca``, ``com`` for centres of mass of residues, ``sc`` for centres of
        side chains. nan for residues that are missing or have no such bead.
    """
    is_com = np.zeros(len(trace), dtype=bool) if trace.com_beads is None else trace.com_beads
    steps: BeadSteps = {}
    if not is_com.all():
        ca = atoms[:, :, :, CA_SLOT].astype(np.float64) - chunk.positions[:, None]
        steps["ca"] = np.where((missing | is_com)[..., None], np.nan, ca)
    if trace.has_centers and chunk.beads is not None:
        weights = bead_weights(trace)
        heavy = torch.from_numpy(atoms[:, :, :, :N_SLOTS].astype(np.float64))
        centers = bead_positions(heavy, torch.from_numpy(weights)).numpy() - chunk.beads[:, None]
        unknown = missing | ~weights.any(axis=1)
        steps["sc" if trace.com_beads is None else "com"] = np.where(unknown[..., None], np.nan, centers)
    return steps
