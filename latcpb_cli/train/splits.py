"""Which rows of the tables of packed structures belong to a split.

One cluster in fifty of the ``train`` chains is a split of its own, ``heldout``. Complexes are held out by
their own clusters, and where a complex of the cluster contains a held-out chain.
"""

from __future__ import annotations

import csv
import zlib
from pathlib import Path

__all__ = ["HELD_OUT", "TRAIN", "chain_ids", "chain_rows", "chains_folder", "complex_rows", "has_complexes"]

TRAIN, HELD_OUT = "train", "heldout"
_HELD_OUT_DIVISOR = 50
Row = dict[str, str]


def chains_folder(folder: Path) -> Path:
    """The folder of the chains of a data folder: ``chains/``, or the data folder itself."""
    return folder / "chains" if (folder / "chains").is_dir() else folder


def has_complexes(folder: Path) -> bool:
    """Whether a data folder holds complexes."""
    return _complex_table(folder).is_file()


def chain_rows(folder: Path, split: str) -> list[Row]:
    """Rows of the table of chains of one split.

    Parameters
    ----------
    folder : Path
        Data folder.
    split : str
        ``train`` (without the held-out part), ``heldout`` or any other split of the table.
    """
    rows = _read(chains_folder(folder) / "chains.tsv")
    return _select(rows, split, {row["cluster30"] for row in rows if _is_held_out(row["cluster30"])})


def complex_rows(folder: Path, split: str) -> list[Row]:
    """Rows of the table of complexes of one split; parameters as for `chain_rows`."""
    rows = _read(_complex_table(folder))
    held_out: set[str] = set()
    if split in (TRAIN, HELD_OUT):
        chains = {row["id"] for row in chain_rows(folder, HELD_OUT)}
        train = (row for row in rows if row["split"] == TRAIN)
        held_out = {
            row["cluster30"]
            for row in train
            if _is_held_out(row["cluster30"]) or not chains.isdisjoint(chain_ids(row))
        }
    return _select(rows, split, held_out)


def chain_ids(row: Row) -> list[str]:
    """Those chains of a complex that the table of chains has as well."""
    return [name for name in row["in_chains"].split(",") if name]


def _complex_table(folder: Path) -> Path:
    return folder / "complexes" / "complexes.tsv"


def _read(table: Path) -> list[Row]:
    with table.open() as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def _is_held_out(cluster: str) -> bool:
    return zlib.crc32(cluster.encode()) % _HELD_OUT_DIVISOR == 0


def _select(rows: list[Row], split: str, held_out: set[str]) -> list[Row]:
    """Rows of a split, of which ``train`` has no held-out clusters and ``heldout`` has only these."""
    if split not in (TRAIN, HELD_OUT):
        return [row for row in rows if row["split"] == split]
    wanted = split == HELD_OUT
    return [row for row in rows if row["split"] == TRAIN and (row["cluster30"] in held_out) == wanted]
