"""Backbones without side chains, for stages that need no more.

A data folder may hold ``backbones/backbones.tsv`` and ``backbones/backbones_NN.npz``. Chains are sampled by
cluster; see ``train/README.md`` for the format.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, O_SLOT, OXT_SLOT
from latcpb_cli.errors import InputError
from latcpb_cli.train.data import unpack
from latcpb_cli.train.packed_format import BREAK, DOUBTFUL
from latcpb_cli.train.structures import Loader, Structure, StructureSet

__all__ = ["has_backbones", "load_backbones"]

_FOLDER, _TABLE = "backbones", "backbones.tsv"
_LEFT_OUT = "left_out.txt"
_ARRAYS = ("offsets", "ca", "nco", "seq", "flags")
_DOUBTFUL_CONFIDENCE = 0.1


def has_backbones(folder: Path) -> bool:
    """Whether a data folder holds backbones."""
    return (folder / _FOLDER / _TABLE).is_file()


def load_backbones(folder: Path) -> StructureSet:
    """Read the backbones of a data folder.

    A cluster of n chains has the weight √n. Chains whose ``group30`` is a line of ``backbones/left_out.txt``
    are left out: relatives of the chains that are held out of training.

    Raises
    ------
    InputError
        All of them are left out.
    """
    left_out = folder / _FOLDER / _LEFT_OUT
    excluded = set(left_out.read_text().split()) if left_out.is_file() else set()
    shards: dict[str, dict[str, np.ndarray]] = {}
    clusters: dict[str, list[Loader]] = defaultdict(list)
    with (folder / _FOLDER / _TABLE).open() as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            if row["group30"] in excluded:
                continue
            if row["shard"] not in shards:
                path = folder / _FOLDER / f"backbones_{int(row['shard']):02d}.npz"
                with np.load(path, allow_pickle=False) as data:
                    shards[row["shard"]] = {key: data[key] for key in _ARRAYS}
            clusters[row["cluster30"]].append(_BackboneLoader(shards[row["shard"]], int(row["index"])))
    if not clusters:
        raise InputError(
            f"{folder / _FOLDER / _TABLE} lists no backbone that is trained on", f"see {left_out}"
        )
    groups = list(clusters.values())
    return StructureSet(groups, [len(group) ** 0.5 for group in groups])


@dataclass(frozen=True, eq=False)
class _BackboneLoader:
    shard: dict[str, np.ndarray]
    index: int

    def __call__(self) -> Structure:
        rows = slice(*self.shard["offsets"][self.index : self.index + 2])
        types, flags = self.shard["seq"][rows].astype(np.int64), self.shard["flags"][rows]
        ca = self.shard["ca"][rows].astype(np.int32)
        coords = np.zeros((len(types), OXT_SLOT, 3), dtype=np.int32)
        coords[:, CA_SLOT] = ca
        coords[:, [N_SLOT, C_SLOT, O_SLOT]] = ca[:, None] + self.shard["nco"][rows]
        present = np.zeros(coords.shape[:2], dtype=bool)
        present[:, [N_SLOT, CA_SLOT, C_SLOT, O_SLOT]] = True
        confidence = np.where((flags & DOUBTFUL) > 0, _DOUBTFUL_CONFIDENCE, 1.0)
        return unpack(coords, present, types, (flags & BREAK) == 0, confidence, side_chains=False)
