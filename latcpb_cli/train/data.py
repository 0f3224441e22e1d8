"""Packed structures and the batches drawn from them.

A folder holds chain shards (``chains_*.npz`` beside ``chains.tsv``, as
`latcpb train prepare` writes them) and may hold ensembles
(``ensembles.tsv`` and one ``<id>.npz`` each). The format is described in
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

from latcpb_cli.chem.residues import LETTERS, N_SLOTS
from latcpb_cli.errors import InputError
from latcpb_cli.structure import BREAK_CUTOFF

__all__ = ["Structure", "Structures", "load_ensemble", "load_structures"]

_MODIFIED, _BREAK, _WRONG_HAND = 4, 2, 64
_HELD_OUT_SHARE = 50  # one cluster in so many is kept from training
_ARRAYS = ("offsets", "coords", "atom_mask", "seq", "flags", "bfac")
_WORN_B, _SHARP, _COARSER = 45.0, 2.0, 0.8  # Å²; Å: up to where maps show peptides, and how fast that ends


@dataclass(frozen=True, eq=False)
class Structure:
    """One conformation.

    Attributes
    ----------
    atoms : float32 (L, 15, 3), Å
    present : bool (L, 15)
    types : int64 (L,)
    linked : bool (L,)
        A peptide joins i to i+1.
    certainty : float32 (L,)
        How far the atoms of each residue are to be believed, from 0 to 1.
    rotamers : bool
        Side-chain torsions mean something.
    """

    atoms: np.ndarray
    present: np.ndarray
    types: np.ndarray
    linked: np.ndarray
    certainty: np.ndarray
    rotamers: bool = True

    def __len__(self) -> int:
        return len(self.types)

    def window(self, start: int, length: int) -> Structure:
        """A stretch of residues; its ends are chain ends."""
        cut = slice(start, start + length)
        linked = self.linked[cut].copy()
        linked[-1:] = False
        rows = self.atoms[cut], self.present[cut], self.types[cut], linked, self.certainty[cut]
        return Structure(*rows, self.rotamers)


Loader = Callable[[], Structure]


class Structures:
    """Structures of one split, grouped so that similar ones count once.

    Parameters
    ----------
    groups : list of lists of callables
        Each callable loads one `Structure` from packed arrays; callables of
        one group (a sequence cluster, or the frames of an ensemble) share its
        weight.
    weights : list of float
        Weight of each group.
    """

    def __init__(self, groups: list[list[Loader]], weights: list[float]) -> None:
        self.groups = groups
        self.share = np.cumsum(weights) / np.sum(weights)

    def __len__(self) -> int:
        return sum(len(group) for group in self.groups)

    def __iter__(self) -> Iterator[Structure]:
        for group in self.groups:
            for load in group:
                yield load()

    def batch(self, seed: int, step: int, residues: int, window: int) -> list[Structure]:
        """Draw structures up to a number of residues; depends on (seed, step) alone.

        Long structures are cut to a random window, and the last one to what is left.
        """
        rng = np.random.default_rng([seed, step])
        drawn: list[Structure] = []
        left = residues
        while left >= 16:
            group = self.groups[int(np.searchsorted(self.share, rng.random()))]
            structure = group[rng.integers(len(group))]()
            length = min(len(structure), window, left)
            structure = structure.window(int(rng.integers(len(structure) - length + 1)), length)
            drawn.append(structure)
            left -= length
        return drawn


def load_structures(folder: Path, split: str, *, ensembles: float = 0.1) -> Structures:
    """Read one split of a data folder.

    Parameters
    ----------
    folder
        Holds ``chains/`` (and perhaps ``ensembles/``), or the chain shards themselves.
    split
        ``train`` (less the held-out part), ``heldout`` (that part) or any split of the tables.
    ensembles
        Share of draws that come from ensembles, where there are any.

    Raises
    ------
    InputError
        The folder holds no packed structures.
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
    if ensembles > 0 and table.is_file() and split != "heldout":
        extra = _ensemble_groups(table, split, lambda row: row["split"] in (split, f"{split}-backbone"))
        if extra:
            share = ensembles / (1 - ensembles) * sum(weights) / len(extra)
            groups, weights = groups + extra, weights + [share] * len(extra)
    return Structures(groups, weights)


def load_ensemble(folder: Path, name: str) -> Structures:
    """Read the frames of one ensemble, as one group.

    Raises
    ------
    InputError
        The folder has no ensemble of this name.
    """
    table = folder / "ensembles" / "ensembles.tsv"
    groups = _ensemble_groups(table, "valid", lambda row: row["id"] == name) if table.is_file() else []
    if not groups:
        raise InputError(f"{table} lists no ensemble '{name}'", "see the column id of that table")
    return Structures(groups, [1.0])


def _held_out(cluster: str) -> bool:
    return zlib.crc32(cluster.encode()) % _HELD_OUT_SHARE == 0


def _chain_groups(folder: Path, split: str) -> tuple[list[list[Loader]], list[float]]:
    shards: dict[str, dict[str, np.ndarray]] = {}
    clusters: dict[str, list[Loader]] = defaultdict(list)
    with (folder / "chains.tsv").open() as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            wanted = row["split"]
            if wanted == "train":
                wanted = "heldout" if _held_out(row["cluster30"]) else "train"
            if wanted != split:
                continue
            shard = row["shard"]
            if shard not in shards:
                with np.load(folder / f"chains_{int(shard):02d}.npz", allow_pickle=False) as data:
                    shards[shard] = {k: data[k] for k in _ARRAYS if k in data}
            resolution = float(row.get("resolution") or 0.0)
            clusters[row["cluster50"]].append(_ChainLoader(shards[shard], int(row["index"]), resolution))
    return list(clusters.values()), [1.0] * len(clusters)


def _ensemble_groups(table: Path, split: str, wanted: Callable[[dict[str, str]], bool]) -> list[list[Loader]]:
    groups: list[list[Loader]] = []
    with table.open() as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            if not wanted(row):
                continue
            with np.load(table.parent / f"{row['id']}.npz", allow_pickle=False) as data:
                packed = {k: data[k] for k in ("xyz", "mask", "seq", "chain_offsets")}
            rotamers = row["split"] == split
            groups.append([_EnsembleLoader(packed, f, rotamers) for f in range(len(packed["xyz"]))])
    return groups


@dataclass(frozen=True, eq=False)
class _ChainLoader:
    shard: dict[str, np.ndarray]
    index: int
    resolution: float  # Å, 0 where it is not known

    def __call__(self) -> Structure:
        rows = slice(*self.shard["offsets"][self.index : self.index + 2])
        bits = self.shard["atom_mask"][rows][:, None] >> np.arange(14, dtype=np.uint16)
        types, flags = self.shard["seq"][rows].astype(np.int64), self.shard["flags"][rows]
        present = (bits & 1).astype(bool)
        # Selenium stands in for sulfur in many modified methionines: wrong bond lengths.
        present[((flags & _MODIFIED) > 0) & (types == LETTERS.index("M")), 6:] = False
        present[(flags & _WRONG_HAND) > 0, 4:] = False
        certainty = np.full(len(types), 1.0 / (1.0 + (max(self.resolution - _SHARP, 0.0) / _COARSER) ** 2))
        if "bfac" in self.shard:
            certainty /= 1.0 + (self.shard["bfac"][rows] / _WORN_B) ** 4
        coords, linked = self.shard["coords"][rows], (flags & _BREAK) == 0
        return _structure(coords, present, types, linked, certainty, rotamers=True)


@dataclass(frozen=True, eq=False)
class _EnsembleLoader:
    packed: dict[str, np.ndarray]
    frame: int
    rotamers: bool

    def __call__(self) -> Structure:
        types = np.array([LETTERS.index(letter) for letter in str(self.packed["seq"])])
        linked = np.ones(len(types), dtype=bool)
        linked[self.packed["chain_offsets"][1:] - 1] = False
        mask = self.packed["mask"]
        coords, certainty = self.packed["xyz"][self.frame], np.ones(len(types))
        return _structure(coords, mask.copy(), types, linked, certainty, rotamers=self.rotamers)


def _structure(
    coords: np.ndarray,
    present: np.ndarray,
    types: np.ndarray,
    linked: np.ndarray,
    certainty: np.ndarray,
    *,
    rotamers: bool,
) -> Structure:
    """Scale, add the OXT slot, drop residues without Cα and peptides that are too long to be one."""
    atoms = np.zeros((len(types), N_SLOTS, 3), dtype=np.float32)
    atoms[:, :14] = coords.astype(np.float32) / 100.0
    full = np.zeros((len(types), N_SLOTS), dtype=bool)
    full[:, :14] = present
    linked = linked.copy()
    linked[-1:] = False
    keep = full[:, 1]
    if not keep.all():
        linked &= np.append(keep[1:], False)
        atoms, full, types, linked = atoms[keep], full[keep], types[keep], linked[keep]
        certainty = certainty[keep]
        linked[-1:] = False
    step = np.linalg.norm(np.diff(atoms[:, 1], axis=0), axis=-1)
    linked[:-1] &= step <= BREAK_CUTOFF
    return Structure(atoms, full, types, linked, certainty.astype(np.float32), rotamers)
