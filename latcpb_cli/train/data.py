"""Packed structures, and the batches sampled from them.

A folder holds chain shards (``chains_*.npz`` beside ``chains.tsv``, as `latcpb train prepare` writes them),
and it may hold ensembles (``ensembles.tsv`` and one ``<id>.npz`` each). The format is described in
``train/README.md``.
"""

from __future__ import annotations

import csv
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, GAMMA_SLOT, LETTERS, MET, N_SLOTS, OXT_SLOT
from latcpb_cli.errors import InputError
from latcpb_cli.structure import BREAK_CUTOFF
from latcpb_cli.train.packed_format import BREAK, COORDINATES_PER_ANGSTROM, MODIFIED, WRONG_CHIRALITY

__all__ = ["ChainLoader", "Structure", "StructureSet", "load_ensemble", "load_structures"]

_HELD_OUT_DIVISOR = 50  # one cluster in so many is kept from training
_ARRAYS = ("offsets", "coords", "atom_mask", "seq", "flags", "bfac")
_MIN_WINDOW = 16  # residues of the shortest window
# Confidence in atoms, set by hand: half at this B factor (Å²); full up to this resolution (Å), where maps
# show the oxygens of peptides, and half this much (Å) beyond it.
_HALF_B_FACTOR, _FULL_RESOLUTION, _RESOLUTION_SCALE = 45.0, 2.0, 0.8


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

    def window(self, start: int, length: int) -> Structure:
        """Cut out a stretch of residues, whose ends become chain ends."""
        rows = slice(start, start + length)
        linked = self.linked[rows].copy()
        linked[-1:] = False
        arrays = self.atoms[rows], self.present[rows], self.types[rows], linked, self.confidence[rows]
        return Structure(*arrays, self.side_chains)


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

    def batch(self, seed: int, step: int, residues: int, window: int) -> list[Structure]:
        """Sample structures up to a number of residues; they depend on the arguments alone.

        Long structures are cut to a random window, and the last one to the residues that remain.
        """
        rng = np.random.default_rng([seed, step])
        sampled: list[Structure] = []
        remaining = residues
        while remaining >= _MIN_WINDOW:
            group = self.groups[int(np.searchsorted(self.cumulative_probability, rng.random()))]
            structure = group[rng.integers(len(group))]()
            length = min(len(structure), window, remaining)
            structure = structure.window(int(rng.integers(len(structure) - length + 1)), length)
            sampled.append(structure)
            remaining -= length
        return sampled


def load_structures(folder: Path, split: str, *, ensemble_probability: float = 0.1) -> StructureSet:
    """Read one split of a data folder.

    Parameters
    ----------
    folder : Path
        Holds ``chains/`` (and perhaps ``ensembles/``), or the chain shards themselves.
    split : str
        ``train`` (without the held-out part), ``heldout`` (that part) or any split of the tables.
    ensemble_probability : float
        Probability that a sampled structure comes from an ensemble, where there are any.

    Raises
    ------
    InputError
        The folder holds no packed structures of this split.
    """
    chains = folder / "chains" if (folder / "chains").is_dir() else folder
    if not (chains / "chains.tsv").is_file():
        raise InputError(
            f"{folder} holds no packed structures (chains.tsv)", "make them with: latcpb train prepare"
        )
    groups, weights = _chain_groups(chains, split)
    if not groups:
        raise InputError(
            f"{chains / 'chains.tsv'} lists no structure of split '{split}'", "check the split column"
        )
    table = folder / "ensembles" / "ensembles.tsv"
    if ensemble_probability > 0 and table.is_file() and split != "heldout":
        ensembles = _ensemble_groups(table, split, lambda row: row["split"] in (split, f"{split}-backbone"))
        if ensembles:
            weight = ensemble_probability / (1 - ensemble_probability) * sum(weights) / len(ensembles)
            groups, weights = groups + ensembles, weights + [weight] * len(ensembles)
    return StructureSet(groups, weights)


def load_ensemble(folder: Path, name: str) -> StructureSet:
    """Read the frames of one ensemble, as one group.

    Raises
    ------
    InputError
        The folder has no ensemble of this name.
    """
    table = folder / "ensembles" / "ensembles.tsv"
    groups = _ensemble_groups(table, "valid", lambda row: row["id"] == name) if table.is_file() else []
    if not groups:
        raise InputError(
            f"{table} lists no ensemble '{name}'", "the ids are in the first column of that table"
        )
    return StructureSet(groups, [1.0])


def _is_held_out(cluster: str) -> bool:
    return zlib.crc32(cluster.encode()) % _HELD_OUT_DIVISOR == 0


def _chain_groups(folder: Path, split: str) -> tuple[list[list[Loader]], list[float]]:
    """Loaders of the chains of a split by sequence cluster, and the weights of the clusters."""
    shards: dict[str, dict[str, np.ndarray]] = {}
    clusters: dict[str, list[Loader]] = defaultdict(list)
    with (folder / "chains.tsv").open() as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            row_split = row["split"]
            if row_split == "train":
                row_split = "heldout" if _is_held_out(row["cluster30"]) else "train"
            if row_split != split:
                continue
            shard = row["shard"]
            if shard not in shards:
                with np.load(folder / f"chains_{int(shard):02d}.npz", allow_pickle=False) as data:
                    shards[shard] = {k: data[k] for k in _ARRAYS if k in data}
            resolution = float(row.get("resolution") or 0.0)
            clusters[row["cluster50"]].append(ChainLoader(shards[shard], int(row["index"]), resolution))
    return list(clusters.values()), [1.0] * len(clusters)


def _ensemble_groups(
    table: Path, split: str, is_chosen: Callable[[dict[str, str]], bool]
) -> list[list[Loader]]:
    """Loaders of the frames of each chosen row; side chains are trained on in rows of ``split`` itself."""
    groups: list[list[Loader]] = []
    with table.open() as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            if not is_chosen(row):
                continue
            with np.load(table.parent / f"{row['id']}.npz", allow_pickle=False) as data:
                packed = {k: data[k] for k in ("xyz", "mask", "seq", "chain_offsets")}
            side_chains = row["split"] == split
            groups.append([_EnsembleLoader(packed, f, side_chains) for f in range(len(packed["xyz"]))])
    return groups


@dataclass(frozen=True, eq=False)
class ChainLoader:
    """Loads one structure of a shard of chains or complexes.

    Attributes
    ----------
    shard : dict of str to numpy.ndarray
        Arrays of the packed format.
    index : int
        Number of the structure in the shard.
    resolution : float
        Å, 0 where it is not known.
    """

    shard: dict[str, np.ndarray]
    index: int
    resolution: float

    def __call__(self) -> Structure:
        rows = slice(*self.shard["offsets"][self.index : self.index + 2])
        bits = self.shard["atom_mask"][rows][:, None] >> np.arange(OXT_SLOT, dtype=np.uint16)
        types, flags = self.shard["seq"][rows].astype(np.int64), self.shard["flags"][rows]
        present = (bits & 1).astype(bool)
        # Many modified methionines have selenium in place of sulfur, with other bond lengths.
        present[((flags & MODIFIED) > 0) & (types == MET), GAMMA_SLOT + 1 :] = False
        present[(flags & WRONG_CHIRALITY) > 0, CB_SLOT:] = False
        coarseness = max(self.resolution - _FULL_RESOLUTION, 0.0) / _RESOLUTION_SCALE
        confidence = np.full(len(types), 1.0 / (1.0 + coarseness**2))
        if "bfac" in self.shard:
            confidence /= 1.0 + (self.shard["bfac"][rows] / _HALF_B_FACTOR) ** 4
        linked = (flags & BREAK) == 0
        return _unpack(self.shard["coords"][rows], present, types, linked, confidence, side_chains=True)


@dataclass(frozen=True, eq=False)
class _EnsembleLoader:
    packed: dict[str, np.ndarray]
    frame: int
    side_chains: bool

    def __call__(self) -> Structure:
        types = np.array([LETTERS.index(letter) for letter in str(self.packed["seq"])])
        linked = np.ones(len(types), dtype=bool)
        linked[self.packed["chain_offsets"][1:] - 1] = False
        coords, present = self.packed["xyz"][self.frame], self.packed["mask"].copy()
        return _unpack(coords, present, types, linked, np.ones(len(types)), side_chains=self.side_chains)


def _unpack(
    coords: np.ndarray,
    present: np.ndarray,
    types: np.ndarray,
    linked: np.ndarray,
    confidence: np.ndarray,
    *,
    side_chains: bool,
) -> Structure:
    """Convert to Å, add the OXT slot, drop residues without Cα and peptides across a gap."""
    atoms = np.zeros((len(types), N_SLOTS, 3), dtype=np.float32)
    atoms[:, :OXT_SLOT] = coords.astype(np.float32) / COORDINATES_PER_ANGSTROM
    with_oxt = np.zeros((len(types), N_SLOTS), dtype=bool)
    with_oxt[:, :OXT_SLOT] = present
    linked = linked.copy()
    linked[-1:] = False
    kept = with_oxt[:, CA_SLOT]
    if not kept.all():
        linked &= np.append(kept[1:], False)
        atoms, with_oxt, types, linked = atoms[kept], with_oxt[kept], types[kept], linked[kept]
        confidence = confidence[kept]
        linked[-1:] = False
    step = np.linalg.norm(np.diff(atoms[:, CA_SLOT], axis=0), axis=-1)
    linked[:-1] &= step <= BREAK_CUTOFF
    return Structure(atoms, with_oxt, types, linked, confidence.astype(np.float32), side_chains)
