"""Two strands with cysteines in the position of a disulfide."""

from __future__ import annotations

import numpy as np
from peptides import build

from latcpb_cli.structure import CGTrace

__all__ = ["facing"]

CB = 4


def facing(distance=3.8, opening=25.0, sequence="ACA", chi=-65.0):
    """Two strands whose middle cysteines face each other, with CB ``distance`` (Å) apart.

    The second is the first after half a turn about an axis near its CA-CB bond, so that both
    have the geometry of a bridge between neighbouring strands.
    """
    atoms, present = build(sequence, phi=-120.0, psi=130.0, chi=(chi, 180.0, 180.0, 180.0))
    at = sequence.index("C")
    ca, cb, n = (atoms[at, slot].astype(float) for slot in (1, CB, 0))
    along = (cb - ca) / np.linalg.norm(cb - ca)
    across = n - ca - ((n - ca) @ along) * along
    across /= np.linalg.norm(across)
    tilt = np.radians(opening)
    toward = np.cos(tilt) * along + np.sin(tilt) * across
    axis = across - (across @ toward) * toward
    axis /= np.linalg.norm(axis)
    middle = cb + toward * distance / 2
    rotated = atoms - middle
    rotated = 2 * (rotated @ axis)[..., None] * axis - rotated
    # Not quite symmetric: rounding would decide between two equally good mirror images.
    twist = np.radians(8.0)
    rotated = (
        np.cos(twist) * rotated
        + np.sin(twist) * np.cross(axis, rotated)
        + (1 - np.cos(twist)) * (rotated @ axis)[..., None] * axis
        + middle
    )
    both = np.concatenate([atoms, np.where(present[..., None], rotated, 0.0)]).astype(np.float32)
    n_residues = len(sequence)
    trace = CGTrace(
        sequence=sequence * 2,
        chain_ids=np.repeat(["A", "B"], n_residues),
        chain_index=np.repeat([0, 1], n_residues),
        resids=np.tile(np.arange(1, n_residues + 1), 2),
        icodes=np.full(2 * n_residues, ""),
    )
    return trace, both, np.concatenate([present, present])
