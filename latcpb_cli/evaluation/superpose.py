"""What is superposed on the reference before atoms are compared, and whether that is needed."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.choices import Superpose
from latcpb_cli.metrics.superposition import fit

__all__ = ["displacement_note", "superpose"]

_MAX_DEVIATION = 1.0
"""Root mean square deviation (Å) of Cα above which two structures are not those of one Cα trace."""

Array = np.ndarray


def superpose(
    moving: Float[Array, "F M 15 3"],
    target: Float[Array, "F M 15 3"],
    chains: Int[Array, "M"],
    what: Superpose,
) -> Float[Array, "F M 15 3"]:
    """Move frames onto the reference.

    Parameters
    ----------
    moving, target : numpy.ndarray, shape (F, M, 15, 3)
        In Å.
    chains : numpy.ndarray of int64, shape (M,)
        Chain of each residue.
    what : {'none', 'chain', 'frame'}
    """
    if what == "none":
        return moving
    groups = np.unique(chains).tolist() if what == "chain" else [None]
    moved = moving.astype(np.float64)
    for group in groups:
        rows = np.ones(len(chains), dtype=bool) if group is None else chains == group
        rotation, translation = fit(moving[:, rows, CA_SLOT], target[:, rows, CA_SLOT])
        placed = np.einsum("fmak,fkl->fmal", moved[:, rows], rotation) + translation[:, None, None]
        moved[:, rows] = placed
    return moved


def displacement_note(
    name: str, moving: Float[Array, "F M 3"], target: Float[Array, "F M 3"], shown: Superpose
) -> str:
    """Describe Cα that are not where those of the reference are; "" where they are.

    Parameters
    ----------
    name : str
        Of the file.
    moving, target : numpy.ndarray, shape (F, M, 3)
        Cα in Å.
    shown : {'none', 'chain', 'frame'}
        What is superposed anyway.
    """
    apart = _deviation(moving, target)
    if apart <= _MAX_DEVIATION or shown != "none":
        return ""
    rotation, translation = fit(moving, target)
    after = _deviation(moving @ rotation + translation[:, None], target)
    if after <= apart / 2:
        return (
            f"{name} is shifted or rotated: its Cα are {apart:.2f} Å from those of the reference, "
            f"{after:.2f} Å after superposition; distances below include the shift (--superpose frame)"
        )
    return (
        f"{name}: its Cα are {apart:.2f} Å from those of the reference, {after:.2f} Å after "
        "superposition: are these the same frames?"
    )


def _deviation(first: Float[Array, "F M 3"], second: Float[Array, "F M 3"]) -> float:
    step = first.astype(np.float64) - second
    return float(np.sqrt((step**2).sum(axis=-1).mean()))
