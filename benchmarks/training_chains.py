"""Packed training chains as arrays, for the scripts that measure tables of `latcpb_cli.chem`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import OXT_SLOT
from latcpb_cli.train.packed_format import BREAK, COORDINATES_PER_ANGSTROM

__all__ = ["PackedChain", "training_chains"]


@dataclass(frozen=True, eq=False)
class PackedChain:
    """One chain of L residues.

    Attributes
    ----------
    atoms : numpy.ndarray, shape (L, 14, 3)
        Å.
    present : numpy.ndarray of bool, shape (L, 14)
    types, flags : numpy.ndarray of int64, shape (L,)
        Residue indices, and bits of `latcpb_cli.train.packed_format`.
    linked : numpy.ndarray of bool, shape (L,)
        Whether a peptide joins residue i to i+1.
    b_factors : numpy.ndarray, shape (L,)
        Mean B factor of each residue, Å².
    """

    atoms: np.ndarray
    present: np.ndarray
    types: np.ndarray
    flags: np.ndarray
    linked: np.ndarray
    b_factors: np.ndarray


def training_chains(
    folder: Path, max_resolution: float, *, representatives: bool = False
) -> Iterator[PackedChain]:
    """Yield the training chains of a resolution (Å) or better; perhaps one per cluster at 50 % identity."""
    with (folder / "chains.tsv").open() as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    for shard in sorted({row["shard"] for row in rows}):
        with np.load(folder / f"chains_{int(shard):02d}.npz", allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        for row in rows:
            good = (
                row["split"] == "train" and row["resolution"] and float(row["resolution"]) <= max_resolution
            )
            if row["shard"] != shard or not good:
                continue
            index = int(row["index"])
            if arrays["rep50"][index] or not representatives:
                yield _chain(arrays, slice(*arrays["offsets"][index : index + 2]))


def _chain(arrays: dict[str, np.ndarray], rows: slice) -> PackedChain:
    flags = arrays["flags"][rows].astype(np.int64)
    linked = (flags & BREAK) == 0
    linked[-1] = False
    bits = arrays["atom_mask"][rows, None] >> np.arange(OXT_SLOT, dtype=np.uint16)
    return PackedChain(
        atoms=arrays["coords"][rows] / COORDINATES_PER_ANGSTROM,
        present=(bits & 1) > 0,
        types=arrays["seq"][rows].astype(np.int64),
        flags=flags,
        linked=linked,
        b_factors=arrays["bfac"][rows],
    )
