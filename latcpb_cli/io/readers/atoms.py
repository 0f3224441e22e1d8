"""The atoms that a structure file lists, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["AtomTable", "parts_from_bonds", "unwrap_resids"]


@dataclass(frozen=True, eq=False)
class AtomTable:
    """One row per atom, in file order; every array has shape (N,).

    Attributes
    ----------
    names, resnames : numpy.ndarray of str
        Atom and residue names, stripped.
    resids : numpy.ndarray of int64
    icodes, altlocs : numpy.ndarray of str
        Insertion codes and alternate locations, "" for none.
    chain_ids : numpy.ndarray of str
        "" where the file gives none.
    parts : numpy.ndarray of int64
        Number of the stretch between two chain ends that the file marks
        itself (TER records, segments, mmCIF entities).
    """

    names: np.ndarray
    resnames: np.ndarray
    resids: np.ndarray
    icodes: np.ndarray
    altlocs: np.ndarray
    chain_ids: np.ndarray
    parts: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray) -> AtomTable:
        """Keep some rows only."""
        return AtomTable(*(getattr(self, field.name)[rows] for field in fields(self)))

    def residue_index(self) -> np.ndarray:
        """0-based number of the residue of each atom: int64, shape (N,)."""
        index = np.zeros(len(self), dtype=np.int64)
        columns = (self.parts, self.chain_ids, self.resids, self.icodes, self.resnames)
        changes = np.zeros(max(len(self) - 1, 0), dtype=bool)
        for column in columns:
            changes |= column[1:] != column[:-1]
        index[1:] = np.cumsum(changes)
        return index


def unwrap_resids(resids: np.ndarray, chain_ids: np.ndarray, parts: np.ndarray, last: int = 9999) -> None:
    """Count on where a chain passes the last number of its columns and starts again (in place)."""
    wraps = (resids[:-1] == last) & (resids[1:] <= 1) & (resids[1:] >= 0)
    wraps &= (chain_ids[1:] == chain_ids[:-1]) & (parts[1:] == parts[:-1])
    for at in np.flatnonzero(wraps):
        same = (chain_ids[at + 1 :] == chain_ids[at]) & (parts[at + 1 :] == parts[at])
        resids[at + 1 :][same] += last + 1


def parts_from_bonds(bonds: np.ndarray, n_atoms: int) -> np.ndarray:
    """Number the molecules along the file: int64, shape (N,).

    Parameters
    ----------
    bonds : numpy.ndarray of int64, shape (B, 2)
        Pairs of rows. Where fewer than half of the atoms have a bond, the
        list is no list of chains, and all atoms are one part.
    n_atoms : int
    """
    parts = np.zeros(n_atoms, dtype=np.int64)
    if 2 * len(np.unique(bonds)) < n_atoms or not len(bonds):
        return parts
    matrix = coo_array((np.ones(len(bonds), dtype=np.int8), tuple(bonds.T)), shape=(n_atoms, n_atoms))
    molecule = connected_components(matrix, directed=False)[1]
    parts[1:] = np.cumsum(molecule[1:] != molecule[:-1])
    return parts
