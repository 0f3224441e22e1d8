"""Crystal structures with several chains, none of which was trained on.

Residues at an interface have a heavy atom within 5 Å of another chain. Chains that are related to training
chains, though their complex is not, are marked.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.train.data import ChainLoader, Structure

__all__ = ["Complex", "load_complexes"]

INTERFACE = 128
"""Bit of the flags of a residue."""


@dataclass(frozen=True, eq=False)
class Complex:
    """All chains of a complex as one structure of L residues.

    Attributes
    ----------
    name : str
    structure : Structure
    chain : numpy.ndarray of uint8, shape (L,)
        Number of the chain of each residue; chains follow each other.
    interface, related : numpy.ndarray of bool, shape (L,)
        Whether a residue is at an interface, and whether its chain is related to a training chain.
    """

    name: str
    structure: Structure
    chain: np.ndarray
    interface: np.ndarray
    related: np.ndarray

    def single_chains(self) -> dict[str, Structure]:
        """Cut out each chain, by the name of the complex and its number, in their order."""
        starts = np.flatnonzero(np.diff(self.chain, prepend=-1))
        lengths = np.diff(np.append(starts, len(self.chain)))
        return {
            f"{self.name}/{number}": self.structure.window(int(start), int(length))
            for number, (start, length) in enumerate(zip(starts, lengths, strict=True))
        }


def load_complexes(data: Path, split: str = "valid") -> Iterator[Complex]:
    """Yield the complexes of a split."""
    folder = data / "complexes"
    with (folder / "complexes.tsv").open() as table:
        rows = [row for row in csv.DictReader(table, delimiter="\t") if row["split"] == split]
    shards: dict[str, dict[str, np.ndarray]] = {}
    for row in rows:
        shard = shards.setdefault(row["shard"], {})
        if not shard:
            with np.load(folder / f"complexes_{int(row['shard']):02d}.npz", allow_pickle=False) as arrays:
                shard.update(arrays)
        yield _complex(row, shard)


def _complex(row: dict[str, str], shard: dict[str, np.ndarray]) -> Complex:
    index = int(row["index"])
    rows = np.arange(*shard["offsets"][index : index + 2])
    rows = rows[(shard["atom_mask"][rows] >> CA_SLOT) & 1 > 0]  # a structure has no residue without Cα
    chain = shard["chain"][rows]
    related = [int(number) for number in row["rel_train_chains"].split(",") if number]
    return Complex(
        name=row["id"],
        structure=ChainLoader(shard, index, float(row["resolution"] or 0.0))(),
        chain=chain,
        interface=(shard["flags"][rows] & INTERFACE) > 0,
        related=np.isin(chain, related),
    )
