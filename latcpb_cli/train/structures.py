"""Structures to train on, and the batches sampled from sets of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

__all__ = ["Loader", "Structure", "StructureSet"]

_MIN_WINDOW = 16  # residues of the shortest window


@dataclass(frozen=True, eq=False)
class Structure:
    """One conformation of L residues.

    Attributes
    ----------
    atoms : numpy.ndarray of float32, shape (L, 15, 3)
        Å.
    present : numpy.ndarray of bool, shape (L, 15)
        Atoms that have a position.
    types : numpy.ndarray of int64, shape (L,)
        Residue indices.
    linked : numpy.ndarray of bool, shape (L,)
        Whether a peptide joins residue i to i+1.
    confidence : numpy.ndarray of float32, shape (L,)
        Confidence in the atoms of each residue, from 0 to 1.
    side_chains : bool
        Whether side chains are trained on.
    """

    atoms: np.ndarray
    present: np.ndarray
    types: np.ndarray
    linked: np.ndarray
    confidence: np.ndarray
    side_chains: bool = True

    def __len__(self) -> int:
        return len(self.types)

    def select(self, rows: np.ndarray) -> Structure:
        """Keep residues, given by ascending numbers; chains end where others are cut out."""
        linked = self.linked[rows] & (np.diff(rows, append=-1) == 1)
        arrays = self.atoms[rows], self.present[rows], self.types[rows], linked, self.confidence[rows]
        return Structure(*arrays, self.side_chains)

    def window(self, start: int, length: int) -> Structure:
        """Cut out a stretch of residues, whose ends become chain ends."""
        return self.select(np.arange(start, start + length))

    def crop(self, rng: np.random.Generator, length: int) -> Structure:
        """Cut out a random part of ``length`` residues, or of all: a window."""
        return self.window(int(rng.integers(len(self) - length + 1)), length)


Loader = Callable[[], Structure]


class StructureSet:
    """Structures of one split, in groups of similar ones.

    Parameters
    ----------
    groups : list of lists of callables
        Each callable loads one `Structure` from packed arrays. The callables of one group (a sequence
        cluster, or the frames of an ensemble) share its weight.
    weights : list of float
        Weight of each group when batches are sampled.
    """

    def __init__(self, groups: list[list[Loader]], weights: list[float]) -> None:
        self.groups = groups
        self.cumulative_probability = np.cumsum(weights) / np.sum(weights)

    def __len__(self) -> int:
        return sum(len(group) for group in self.groups)

    def __iter__(self) -> Iterator[Structure]:
        for group in self.groups:
            for load in group:
                yield load()

    def mixed(self, other: StructureSet, probability: float) -> StructureSet:
        """Return a set whose batches take each structure from ``other`` with a probability."""
        own, others = (np.diff(each.cumulative_probability, prepend=0.0) for each in (self, other))
        weights = np.concatenate([(1.0 - probability) * own, probability * others])
        return StructureSet(self.groups + other.groups, weights.tolist())

    def batch(self, seed: int, step: int, residues: int, window: int) -> list[Structure]:
        """Sample structures up to a number of residues; they depend on the arguments alone.

        Long structures are cut to ``window`` residues (`Structure.crop`), and the last one to those that
        remain.
        """
        rng = np.random.default_rng([seed, step])
        sampled: list[Structure] = []
        remaining = residues
        while remaining >= _MIN_WINDOW:
            group = self.groups[int(np.searchsorted(self.cumulative_probability, rng.random()))]
            structure = group[rng.integers(len(group))]()
            length = min(len(structure), window, remaining)
            sampled.append(structure.crop(rng, length))
            remaining -= length
        return sampled
