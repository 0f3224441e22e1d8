"""Pack a folder of PDB and mmCIF files into what training reads."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from latcpb_cli.errors import InputError, LatcpbError, OutputExistsError
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.structure import AtomStructure

__all__ = ["prepare_structures"]

_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
_MIN_RESIDUES = 8
_COLUMNS = ("id", "split", "shard", "index", "source", "n_res", "cluster50", "cluster30", "sequence")
_COMPLETE, _BREAK = 1, 2
_LARGEST = 327.0  # Å from the centroid: int16 in 0.01 Å


def prepare_structures(folder: Path, out: Path) -> tuple[int, list[str]]:
    """Pack every chain of every structure file of a folder.

    The first model of each file is taken. Chains of the same sequence form
    one cluster and share its weight; one cluster in fifty is held out when
    training loads them.

    Parameters
    ----------
    folder
        Holds ``.pdb``, ``.ent``, ``.cif`` or ``.mmcif`` files, at any depth.
    out
        Receives ``chains.tsv`` and ``chains_00.npz``.

    Returns
    -------
    chains : int
        Chains packed.
    skipped : list of str
        One line for each file that could not be used, with the reason.

    Raises
    ------
    OutputExistsError, InputError
    """
    if (out / "chains.tsv").exists():
        raise OutputExistsError(f"{out / 'chains.tsv'} is already there", "give an empty folder")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise InputError(f"{folder} holds no structure files", f"looked for {', '.join(_SUFFIXES)}")
    rows: list[dict[str, str | int]] = []
    packed: list[dict[str, np.ndarray]] = []
    skipped: list[str] = []
    clusters: dict[str, int] = {}
    for path in files:
        try:
            structure = read_all_atom(path)
        except LatcpbError as error:
            skipped.append(error.message)
            continue
        for chain, sequence, arrays in _chains(structure):
            cluster = clusters.setdefault(sequence, len(clusters))
            values = (
                f"{path.stem}_{chain}",
                "train",
                0,
                len(packed),
                path.name,
                len(sequence),
                cluster,
                cluster,
                sequence,
            )
            rows.append(dict(zip(_COLUMNS, values, strict=True)))
            packed.append(arrays)
    if not packed:
        raise InputError(
            f"no file of {folder} holds a protein chain", skipped[0] if skipped else "check the folder"
        )
    out.mkdir(parents=True, exist_ok=True)
    _write(out, rows, packed)
    return len(packed), skipped


def _chains(structure: AtomStructure) -> Iterator[tuple[str, str, dict[str, np.ndarray]]]:
    """Chain id, sequence and packed arrays of each chain that is long enough and fits into 16 bits."""
    trace, linked = structure.trace, structure.linked()[0]
    for number in np.unique(trace.chain_index):
        rows = np.flatnonzero((trace.chain_index == number) & structure.present[:, 1])
        if len(rows) < _MIN_RESIDUES:
            continue
        sequence = "".join(trace.sequence[row] for row in rows)
        present = structure.present[rows, :14]
        atoms = structure.atoms[0, rows, :14]
        centroid = atoms[:, 1].mean(0)
        if np.abs(atoms - centroid)[present].max() > _LARGEST:
            continue
        coords = np.where(present[..., None], np.round(100 * (atoms - centroid)), 0).astype(np.int16)
        bits = (present.astype(np.uint16) << np.arange(14, dtype=np.uint16)).sum(-1).astype(np.uint16)
        flags = np.where(linked[rows], 0, _BREAK) | np.where(present[:, :4].all(-1), _COMPLETE, 0)
        yield (
            str(trace.chain_ids[rows[0]]).strip() or str(number),
            sequence,
            {
                "coords": coords,
                "centroid": centroid[None].astype(np.float32),
                "atom_mask": bits,
                "seq": trace.residue_types[rows].astype(np.uint8),
                "flags": flags.astype(np.uint8),
            },
        )


def _write(out: Path, rows: list[dict[str, str | int]], packed: list[dict[str, np.ndarray]]) -> None:
    lengths = [len(arrays["seq"]) for arrays in packed]
    joined = {key: np.concatenate([arrays[key] for arrays in packed]) for key in packed[0]}
    joined["offsets"] = np.cumsum([0, *lengths])
    np.savez_compressed(out / "chains_00.npz", allow_pickle=False, **joined)
    with (out / "chains.tsv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, _COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
