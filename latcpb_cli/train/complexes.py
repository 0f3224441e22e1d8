"""Complexes: several chains as one structure, for side chains that another chain surrounds.

A data folder may hold ``complexes/complexes.tsv`` and ``complexes/complexes_NN.npz``; see ``train/README.md``
for the format. A chain that is also in the table of chains is trained on in its complex or alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.errors import InputError
from latcpb_cli.train.data import ChainLoader, load_structures, packed_loaders
from latcpb_cli.train.packed_format import INTERFACE
from latcpb_cli.train.splits import HELD_OUT, TRAIN, chain_ids, complex_rows, has_complexes
from latcpb_cli.train.structures import Loader, Structure, StructureSet

__all__ = [
    "ComplexLoader",
    "ComplexStructure",
    "complex_loaders",
    "load_complexes",
    "load_training_structures",
]

_INTERFACE_CENTER_PROBABILITY = 0.8
"""How often a crop is centered on a residue of an interface."""
_HALF_STRETCH = 8
"""A crop has stretches of twice so many residues and one, where they fit."""
_STRETCHES = 8
"""Stretches that a crop has room for at least; in small crops they are shorter."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ComplexStructure(Structure):
    """One conformation of several chains, L residues.

    Attributes
    ----------
    chain : numpy.ndarray of uint8, shape (L,)
        Number of the chain of each residue; chains follow each other.
    interface : numpy.ndarray of bool, shape (L,)
        Whether a residue has a heavy atom near another chain.
    """

    chain: np.ndarray
    interface: np.ndarray

    def crop(self, rng: np.random.Generator, length: int) -> Structure:
        """Cut out ``length`` residues around a random one, as stretches of all chains near it."""
        candidates = np.flatnonzero(self.interface)
        if rng.random() >= _INTERFACE_CENTER_PROBABILITY or not len(candidates):
            candidates = np.arange(len(self))
        center = int(rng.choice(candidates))
        return self.select(_nearest_stretches(self.atoms[:, CA_SLOT], self.chain, center, length))


@dataclass(frozen=True, eq=False)
class ComplexLoader:
    """Loads one complex; `ChainLoader` has the attributes."""

    load: ChainLoader

    def __call__(self) -> ComplexStructure:
        shard, index = self.load.shard, self.load.index
        rows = np.arange(*shard["offsets"][index : index + 2])
        rows = rows[(shard["atom_mask"][rows] >> CA_SLOT) & 1 > 0]  # a structure has no residue without Cα
        interface = (shard["flags"][rows] & INTERFACE) > 0
        return ComplexStructure(**vars(self.load()), chain=shard["chain"][rows], interface=interface)


def complex_loaders(folder: Path, split: str) -> Iterator[tuple[dict[str, str], ComplexLoader]]:
    """Yield rows of the table of complexes, each with its loader; parameters as for `load_structures`."""
    for row, load in packed_loaders(folder / "complexes", "complexes", complex_rows(folder, split)):
        yield row, ComplexLoader(load)


def load_complexes(folder: Path, split: str) -> StructureSet:
    """Read the complexes of one split of a data folder; clusters have equal weights.

    Parameters
    ----------
    folder : Path
        Holds ``complexes/``, and chains as `load_structures` reads them.
    split : str
        ``train`` (without the held-out part), ``heldout`` (that part: clusters by the rule of chains, and
        those in which a complex contains a held-out chain) or any split of the table.
    """
    clusters: dict[str, list[Loader]] = defaultdict(list)
    for row, load in complex_loaders(folder, split):
        clusters[row["cluster30"]].append(load)
    return StructureSet(list(clusters.values()), [1.0] * len(clusters))


def load_training_structures(
    folder: Path, *, complex_probability: float, ensemble_probability: float
) -> StructureSet:
    """Read what a stage is trained on: chains by themselves, ensembles and complexes.

    Chains of held-out complexes are left out. Where complexes are sampled, chains of the others are left out
    as well, so that none is trained on both with and without its partners.

    Parameters
    ----------
    folder : Path
        A folder for `load_structures`, with or without complexes.
    complex_probability : float
        Probability that a sampled structure is a complex, where there are any.
    ensemble_probability : float
        Probability that one that is no complex comes from an ensemble.

    Raises
    ------
    InputError
        The folder holds nothing to train on.
    """
    if not has_complexes(folder):
        return load_structures(folder, TRAIN, ensemble_probability=ensemble_probability)
    splits = (HELD_OUT, TRAIN) if complex_probability > 0 else (HELD_OUT,)
    left_out = {name for split in splits for row in complex_rows(folder, split) for name in chain_ids(row)}
    structures = load_structures(folder, TRAIN, ensemble_probability=ensemble_probability, left_out=left_out)
    if complex_probability > 0:
        structures = structures.mixed(load_complexes(folder, TRAIN), complex_probability)
    if not len(structures):
        raise InputError(f"all chains of {folder} are held out", "give more structures")
    return structures


def _nearest_stretches(ca: np.ndarray, chain: np.ndarray, center: int, length: int) -> np.ndarray:
    """Numbers of the residues nearest to one, ascending, as stretches of sequence.

    A residue is as near as the nearest one of the stretch around it in its chain.

    Parameters
    ----------
    ca : numpy.ndarray, shape (L, 3)
    chain : numpy.ndarray, shape (L,)
    center, length : int
        The residue, and how many are wanted.
    """
    distance = np.linalg.norm(ca - ca[center], axis=-1)
    half = min(_HALF_STRETCH, length // (2 * _STRETCHES))
    offsets = np.arange(-half, half + 1)
    neighbors = np.arange(len(ca))[:, None] + offsets
    inside = (neighbors >= 0) & (neighbors < len(ca))
    neighbors = neighbors.clip(0, len(ca) - 1)
    inside &= chain[neighbors] == chain[:, None]
    reached = np.where(inside, distance[neighbors], np.inf)
    steps = np.abs(offsets[reached.argmin(axis=1)])  # along the chain, to the nearest residue
    order = np.lexsort((steps, reached.min(axis=1)))
    return np.sort(order[:length])
