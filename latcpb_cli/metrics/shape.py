"""Size of a structure: radius of gyration and distance between chain ends."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.masses import atom_masses
from latcpb_cli.chem.residues import CA_SLOT

__all__ = ["end_to_end", "radius_of_gyration"]

Array = np.ndarray


def radius_of_gyration(
    types: Int[Array, "L"], atoms: Float[Array, "F L 15 3"], present: Bool[Array, "L 15"]
) -> Float[Array, "F"]:
    """Return the radius of gyration (Å) of the heavy atoms of each frame, weighted by mass."""
    weight = (atom_masses()[types] * present)[present]
    points = atoms[:, present].astype(np.float64)
    centre = np.einsum("n,fnk->fk", weight, points) / weight.sum()
    squares = ((points - centre[:, None]) ** 2).sum(axis=-1)
    return np.asarray(np.sqrt(squares @ weight / weight.sum()))


def end_to_end(chain_index: Int[Array, "L"], atoms: Float[Array, "F L 15 3"]) -> Float[Array, "F"]:
    """Return the distance (Å) from the first to the last CA of a chain, as the mean over chains."""
    first = np.flatnonzero(np.r_[True, chain_index[1:] != chain_index[:-1]])
    last = np.r_[first[1:], len(chain_index)] - 1
    ca = atoms[:, :, CA_SLOT].astype(np.float64)
    return np.asarray(np.linalg.norm(ca[:, last] - ca[:, first], axis=-1).mean(axis=1))
