"""The atoms that a structure file lists, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Int, Int64, Shaped

__all__ = ["AtomTable", "segments_from_bonds", "unwrap_resids"]


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
    segment_index : numpy.ndarray of int64
        Number of the stretch between two chain ends that the file marks
        itself (TER records, segment names, mmCIF entities, bonds).
    """

    names: Shaped[np.ndarray, "N"]
    resnames: Shaped[np.ndarray, "N"]
    resids: Int64[np.ndarray, "N"]
    icodes: Shaped[np.ndarray, "N"]
    altlocs: Shaped[np.ndarray, "N"]
    chain_ids: Shaped[np.ndarray, "N"]
    segment_index: Int64[np.ndarray, "N"]

    def __len__(self) -> int:
        return len(self.names)

    def select(self, rows: Int[np.ndarray, "M"] | Bool[np.ndarray, "N"]) -> AtomTable:
        """Return a table of some rows, given by their indices or by a mask."""
        return AtomTable(*(getattr(self, field.name)[rows] for field in fields(self)))

    def chain_changes(self) -> Bool[np.ndarray, "steps"]:
        """Mark where the chain identifier or the segment changes from one atom to the next: shape (N-1,)."""
        chain = self.chain_ids[1:] != self.chain_ids[:-1]
        segment = self.segment_index[1:] != self.segment_index[:-1]
        return np.asarray(chain | segment)

    def residue_index(self) -> Int64[np.ndarray, "N"]:
        """Return the 0-based number of the residue of each atom."""
        index = np.zeros(len(self), dtype=np.int64)
        columns = (self.segment_index, self.chain_ids, self.resids, self.icodes, self.resnames)
        changes = np.zeros(max(len(self) - 1, 0), dtype=bool)
        for column in columns:
            changes |= column[1:] != column[:-1]
        index[1:] = np.cumsum(changes)
        return index


def unwrap_resids(
    resids: Int64[np.ndarray, "N"],
    chain_ids: Shaped[np.ndarray, "N"],
    segment_index: Int64[np.ndarray, "N"],
    last: int = 9999,
) -> None:
    """Continue residue numbers that start again within a chain because their columns are full (in place).

    Parameters
    ----------
    resids : numpy.ndarray of int64, shape (N,)
        Changed in place.
    chain_ids : numpy.ndarray of str, shape (N,)
    segment_index : numpy.ndarray of int64, shape (N,)
    last : int
        Largest number that fits into the columns of the format.
    """
    wraps = (resids[:-1] == last) & (resids[1:] <= 1) & (resids[1:] >= 0)
    wraps &= (chain_ids[1:] == chain_ids[:-1]) & (segment_index[1:] == segment_index[:-1])
    for row in np.flatnonzero(wraps):
        same = (chain_ids[row + 1 :] == chain_ids[row]) & (segment_index[row + 1 :] == segment_index[row])
        resids[row + 1 :][same] += last + 1


def segments_from_bonds(bonds: Int64[np.ndarray, "B 2"], n_atoms: int) -> Int64[np.ndarray, "N"]:
    """Number the stretches of atoms along the file that belong to one molecule.

    Parameters
    ----------
    bonds : numpy.ndarray of int64, shape (B, 2)
        Pairs of rows.
    n_atoms : int

    Returns
    -------
    numpy.ndarray of int64, shape (N,)
        All zeros where fewer than half of the atoms have a bond: such a list
        (of disulfides, for instance) does not separate chains.
    """
    segment_index = np.zeros(n_atoms, dtype=np.int64)
    if 2 * len(np.unique(bonds)) < n_atoms or not len(bonds):
        return segment_index
    # Here, because a file without bonds does not need them.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    matrix = coo_array((np.ones(len(bonds), dtype=np.int8), tuple(bonds.T)), shape=(n_atoms, n_atoms))
    molecule = connected_components(matrix, directed=False)[1]
    segment_index[1:] = np.cumsum(molecule[1:] != molecule[:-1])
    return segment_index
