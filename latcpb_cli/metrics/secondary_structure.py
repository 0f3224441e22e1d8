"""Helices and strands by the hydrogen bonds of the backbone (DSSP).

Kabsch and Sander (1983, doi:10.1002/bip.360221211): a hydrogen bond is an
electrostatic energy below -0.5 kcal/mol between C=O and N-H, with H 1.0 Å from N
opposite to the C=O before it. Helix are the residues inside two successive turns of
3, 4 or 5 residues (H, G and I of DSSP), strand those in a bridge (E and B); residues
of a bulge between two bridges are not counted as strand.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, O_SLOT, PRO
from latcpb_cli.geometry.pairs import close_pairs_between

__all__ = ["HELIX", "STRAND", "secondary_structure"]

COIL, HELIX, STRAND = range(3)
_COUPLING = 0.42 * 0.20 * 332.0
"""Product of the partial charges, in kcal/mol Å."""
_MAX_ENERGY = -0.5
_MAX_DISTANCE = 5.2
"""Å between N and O, beyond which no energy is below the limit."""
_MIN_SEPARATION = 3
"""Residues between the two partners of a bridge."""
_TURNS = (3, 4, 5)

Array = np.ndarray


def secondary_structure(
    types: Int[Array, "L"],
    atoms: Float[Array, "F L 15 3"],
    present: Bool[Array, "L 15"],
    linked: Bool[Array, "F L"],
) -> Int[Array, "F L"]:
    """Assign helix, strand or neither to the residues of each frame.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    atoms : numpy.ndarray, shape (F, L, 15, 3)
        In Å.
    present : numpy.ndarray of bool, shape (L, 15)
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins residue i to i+1. A ring is read as a linear chain.

    Returns
    -------
    numpy.ndarray of int8, shape (F, L)
        ``HELIX``, ``STRAND``, or 0; -1 where a backbone atom is missing.
    """
    complete = np.asarray(present[:, [N_SLOT, CA_SLOT, C_SLOT, O_SLOT]].all(axis=1))
    states = np.zeros(linked.shape, dtype=np.int8)
    for f, (state, frame) in enumerate(zip(states, atoms, strict=True)):
        joined = linked[f] & complete
        bonds = _hydrogen_bonds(types, frame.astype(np.float64), complete, joined)
        state[_in_bridges(bonds, joined)] = STRAND
        state[_in_helices(bonds, joined)] = HELIX
    states[:, ~complete] = -1
    return states


def _hydrogen_bonds(
    types: Int[Array, "L"],
    atoms: Float[Array, "L 15 3"],
    complete: Bool[Array, "L"],
    linked: Bool[Array, "L"],
) -> set[tuple[int, int]]:
    """Pairs (residue of C=O, residue of N-H) that are hydrogen-bonded."""
    donors = np.flatnonzero(np.r_[False, linked[:-1] & complete[1:]] & (types != PRO))
    acceptors = np.flatnonzero(complete)
    n, c, o = (atoms[:, slot] for slot in (N_SLOT, C_SLOT, O_SLOT))
    carbonyl = c[donors - 1] - o[donors - 1]
    h = n[donors] + carbonyl / np.linalg.norm(carbonyl, axis=-1, keepdims=True)
    donor, acceptor, _ = close_pairs_between(n[donors], o[acceptors], _MAX_DISTANCE)
    i, j = acceptors[acceptor], donors[donor]
    kept = (i != j) & (i != j - 1)
    i, j, donor = i[kept], j[kept], donor[kept]
    near = [(o[i], n[j], 1), (c[i], h[donor], 1), (o[i], h[donor], -1), (c[i], n[j], -1)]
    # Distances below 0.5 Å, which only broken structures have, would give energies of any size.
    terms = [sign / np.maximum(np.linalg.norm(a - b, axis=-1), 0.5) for a, b, sign in near]
    bonded = _COUPLING * np.sum(terms, axis=0) < _MAX_ENERGY
    return set(zip(i[bonded].tolist(), j[bonded].tolist(), strict=True))


def _in_helices(bonds: set[tuple[int, int]], linked: Bool[Array, "L"]) -> Bool[Array, "L"]:
    """Mark the residues inside two successive turns of the same kind."""
    inside = np.zeros(len(linked), dtype=bool)
    for span in _TURNS:
        turns = {i for i, j in bonds if j - i == span and linked[i:j].all()}
        for start in turns:
            if start - 1 in turns:
                inside[start : start + span] = True
    return inside


def _in_bridges(bonds: set[tuple[int, int]], linked: Bool[Array, "L"]) -> Bool[Array, "L"]:
    """Mark the residues in parallel and antiparallel bridges."""
    inside = np.zeros(len(linked), dtype=bool)
    for i, j in bonds:
        bridges = []
        if (j, i + 2) in bonds:
            bridges.append((i + 1, j))
        if (j, i) in bonds:
            bridges.append((i, j))
        if (j - 2, i + 2) in bonds:
            bridges.append((i + 1, j - 1))
        for first, second in bridges:
            sound = all(1 <= x < len(linked) and linked[x - 1] and linked[x] for x in (first, second))
            if sound and abs(first - second) >= _MIN_SEPARATION:
                inside[[first, second]] = True
    return inside
