"""Bond graphs inferred from coordinates, and the edit distance of two of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.bonds import element_index
from latcpb_cli.chem.residues import COVALENT_RADIUS, ELEMENTS
from latcpb_cli.geometry.pairs import close_pairs

__all__ = ["BOND_FACTOR", "GraphDistance", "bond_graph", "graph_distance"]

BOND_FACTOR = 1.3
"""Two atoms nearer than this times the sum of their covalent radii are bonded."""
_RADIUS = np.array([COVALENT_RADIUS[element] for element in ELEMENTS])

Array = np.ndarray


class GraphDistance(NamedTuple):
    """Graph edit distances of one frame.

    ``edges`` is ``| |E_ref| - |E_gen| | / |E_ref|``, the quantity that the code of
    GenZProt computes: an additional bond compensates for a missing one.
    ``symmetric`` is ``|E_ref symmetric-difference E_gen| / |E_ref|``.
    """

    edges: float
    symmetric: float


def bond_graph(
    types: Int[Array, "L"], atoms: Float[Array, "L 15 3"], present: Bool[Array, "L 15"]
) -> Int[Array, "E 2"]:
    """Return the bonds between all heavy atoms of a frame.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    atoms : numpy.ndarray, shape (L, 15, 3)
        In Å.
    present : numpy.ndarray of bool, shape (L, 15)

    Returns
    -------
    numpy.ndarray of int64, shape (E, 2)
        Atoms as ``15 * residue + slot``, the lower one first.
    """
    atom = np.flatnonzero(present)
    radius = _RADIUS[element_index()[types][present]]
    first, second, distance = close_pairs(atoms[present], 2 * BOND_FACTOR * float(_RADIUS.max()))
    bonded = distance < BOND_FACTOR * (radius[first] + radius[second])
    return np.stack([atom[first[bonded]], atom[second[bonded]]], axis=1)


def graph_distance(
    reference: Int[Array, "R 2"], generated: Int[Array, "G 2"], chosen: Bool[Array, "L 15"]
) -> GraphDistance | None:
    """Compare two bond graphs of the same atoms.

    Parameters
    ----------
    reference, generated : numpy.ndarray of int64, shape (E, 2)
        From `bond_graph`.
    chosen : numpy.ndarray of bool, shape (L, 15)
        Atoms that count; a bond counts where both of its atoms do.

    Returns
    -------
    GraphDistance or None
        None where the reference has no bond.
    """
    codes = []
    for edges in (reference, generated):
        kept = edges[chosen.ravel()[edges].all(axis=1)]
        codes.append(kept[:, 0] * chosen.size + kept[:, 1])
    n_reference, n_generated = (len(code) for code in codes)
    if n_reference == 0:
        return None
    different = len(np.setxor1d(codes[0], codes[1], assume_unique=True))
    return GraphDistance(abs(n_reference - n_generated) / n_reference, different / n_reference)
