"""The atoms that a structure file lists, whatever its format (layer 2)."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

__all__ = ["AtomTable"]


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
