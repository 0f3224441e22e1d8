"""Packed structures are read from a data folder.

A folder holds chain shards (``chains_*.npz`` beside ``chains.tsv``, as `latcpb train prepare` writes them),
and it may hold ensembles (``ensembles.tsv`` and one ``<id>.npz`` each) and complexes
(`latcpb_cli.train.complexes`). The format is described in ``train/README.md``.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, GAMMA_SLOT, LETTERS, MET, N_SLOTS, OXT_SLOT
from latcpb_cli.errors import InputError
from latcpb_cli.structure import BREAK_CUTOFF
from latcpb_cli.train.packed_format import BREAK, COORDINATES_PER_ANGSTROM, MODIFIED, WRONG_CHIRALITY
from latcpb_cli.train.splits import HELD_OUT, chain_rows, chains_folder
from latcpb_cli.train.structures import Loader, Structure, StructureSet

__all__ = ["ChainLoader", "load_ensemble", "load_structures", "packed_loaders", "unpack"]

_ARRAYS = ("offsets", "coords", "atom_mask", "seq", "flags", "bfac", "chain")
# Confidence in atoms, set by hand: half at this B factor (Å²); full up to this resolution (Å), where maps
# show the oxygens of peptides, and half this much (Å) beyond it.
_HALF_B_FACTOR, _FULL_RESOLUTION, _RESOLUTION_SCALE = 45.0, 2.0, 0.8


def load_structures(
    folder: Path, split: str, *, ensemble_probability: float = 0.1, left_out: Collection[str] = ()
) -> StructureSet:
    """Read one split of a data folder.

    Parameters
    ----------
    folder : Path
        Holds ``chains/`` (and perhaps ``ensembles/``), or the chain shards themselves.
    split : str
        ``train`` (without the held-out part), ``heldout`` (that part) or any split of the tables.
    ensemble_probability : float
        Probability that a sampled structure comes from an ensemble, where there are any.
    left_out : collection of str
        Identifiers of chains that are not loaded.

    Raises
    ------
    InputError
        The folder holds no packed structures of this split.
    """
    table = chains_folder(folder) / "chains.tsv"
    if not table.is_file():
        raise InputError(
            f"{folder} holds no packed structures (chains.tsv)", "make them with: latcpb train prepare"
        )
    rows = chain_rows(folder, split)
    if not rows:
        raise InputError(f"{table} lists no structure of split '{split}'", "check the split column")
    kept = [row for row in rows if row.get("id") not in left_out]
    clusters: dict[str, list[Loader]] = defaultdict(list)
    for row, load in packed_loaders(table.parent, "chains", kept):
        clusters[row["cluster50"]].append(load)
    groups = list(clusters.values())
    structures = StructureSet(groups, [1.0] * len(groups))
    table = folder / "ensembles" / "ensembles.tsv"
    if ensemble_probability > 0 and table.is_file() and split != HELD_OUT:
        ensembles = _ensemble_groups(table, split, lambda row: row["split"] in (split, f"{split}-backbone"))
        if ensembles:
            others = StructureSet(ensembles, [1.0] * len(ensembles))
            structures = structures.mixed(others, ensemble_probability)
    return structures


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


def packed_loaders(
    folder: Path, name: str, rows: list[dict[str, str]]
) -> Iterator[tuple[dict[str, str], ChainLoader]]:
    """Yield rows of a table of chains or complexes, each with its loader; shards are ``<name>_NN.npz``."""
    shards: dict[str, dict[str, np.ndarray]] = {}
    for row in rows:
        shard = row["shard"]
        if shard not in shards:
            with np.load(folder / f"{name}_{int(shard):02d}.npz", allow_pickle=False) as data:
                shards[shard] = {key: data[key] for key in _ARRAYS if key in data}
        yield row, ChainLoader(shards[shard], int(row["index"]), float(row.get("resolution") or 0.0))


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
        return unpack(self.shard["coords"][rows], present, types, linked, confidence, side_chains=True)


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
        return unpack(coords, present, types, linked, np.ones(len(types)), side_chains=self.side_chains)


def unpack(
    coords: np.ndarray,
    present: np.ndarray,
    types: np.ndarray,
    linked: np.ndarray,
    confidence: np.ndarray,
    *,
    side_chains: bool,
) -> Structure:
    """Make a structure of packed arrays.

    Coordinates become Å, the OXT slot is added; residues without Cα and peptides across a gap are dropped.
    """
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
