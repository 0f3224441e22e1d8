"""Pack a folder of PDB and mmCIF files into training data."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, OXT_SLOT
from latcpb_cli.errors import InputError, LatcpbError, OutputExistsError
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.structure import AtomStructure
from latcpb_cli.train.packed_format import BREAK, COMPLETE, COORDINATES_PER_ANGSTROM

__all__ = ["prepare_structures"]

_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
_MIN_RESIDUES = 8
_COLUMNS = ("id", "split", "shard", "index", "source", "n_res", "cluster50", "cluster30", "sequence")
_MAX_COORDINATE = 327.0  # Å from the centroid: what 16 bits hold


@dataclass(frozen=True, eq=False)
class _PackedChain:
    """A chain as it is stored: file, identifier, sequence and arrays by name."""

    path: Path
    chain_id: str
    sequence: str
    arrays: dict[str, np.ndarray]


def prepare_structures(folder: Path, out: Path) -> tuple[int, list[str]]:
    """Pack every chain of every structure file of a folder.

    The first model of each file is used. Chains of the same sequence form one cluster and share its weight;
    one cluster in fifty is held out when training loads them.

    Parameters
    ----------
    folder : Path
        Holds ``.pdb``, ``.ent``, ``.cif`` or ``.mmcif`` files, at any depth.
    out : Path
        Receives ``chains.tsv`` and ``chains_00.npz``.

    Returns
    -------
    chains : int
        Number of chains packed.
    skipped : list of str
        One line for each file that could not be used, with the reason.

    Raises
    ------
    OutputExistsError
        ``out`` holds packed structures.
    InputError
        ``folder`` holds no structure file, or none with a protein chain.
    """
    if (out / "chains.tsv").exists():
        raise OutputExistsError(f"{out / 'chains.tsv'} is already there", "give an empty folder")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise InputError(f"{folder} holds no structure files", f"expected {', '.join(_SUFFIXES)}")
    packed, skipped = _read_chains(files)
    if not packed:
        raise InputError(
            f"no file of {folder} holds a protein chain", skipped[0] if skipped else "check the folder"
        )
    out.mkdir(parents=True, exist_ok=True)
    _write(out, packed)
    return len(packed), skipped


def _read_chains(files: list[Path]) -> tuple[list[_PackedChain], list[str]]:
    """Pack the chains of all files, and return the reasons why others were skipped."""
    packed: list[_PackedChain] = []
    skipped: list[str] = []
    for path in files:
        try:
            structure = read_all_atom(path)
        except LatcpbError as error:
            skipped.append(error.message)
            continue
        packed += _chains(path, structure)
    return packed, skipped


def _table(packed: list[_PackedChain]) -> Iterator[dict[str, str | int]]:
    """Rows of ``chains.tsv``; chains of the same sequence are a cluster."""
    clusters: dict[str, int] = {}
    for index, chain in enumerate(packed):
        cluster = clusters.setdefault(chain.sequence, len(clusters))
        name, length = f"{chain.path.stem}_{chain.chain_id}", len(chain.sequence)
        values = (name, "train", 0, index, chain.path.name, length, cluster, cluster, chain.sequence)
        yield dict(zip(_COLUMNS, values, strict=True))


def _chains(path: Path, structure: AtomStructure) -> Iterator[_PackedChain]:
    """Pack each chain that is long enough and fits into 16 bits."""
    trace, linked = structure.trace, structure.trace.linked_rows(structure.atoms[:1, :, CA_SLOT])[0]
    for number in np.unique(trace.chain_index):
        rows = np.flatnonzero((trace.chain_index == number) & structure.present[:, CA_SLOT])
        if len(rows) < _MIN_RESIDUES:
            continue
        present = structure.present[rows, :OXT_SLOT]
        atoms = structure.atoms[0, rows, :OXT_SLOT]
        centroid = atoms[:, CA_SLOT].mean(0)
        if np.abs(atoms - centroid)[present].max() > _MAX_COORDINATE:
            continue
        coords = np.where(present[..., None], np.round(COORDINATES_PER_ANGSTROM * (atoms - centroid)), 0)
        bits = (present.astype(np.uint16) << np.arange(OXT_SLOT, dtype=np.uint16)).sum(-1).astype(np.uint16)
        complete = present[:, :CB_SLOT].all(-1)
        flags = np.where(linked[rows], 0, BREAK) | np.where(complete, COMPLETE, 0)
        yield _PackedChain(
            path,
            chain_id=str(trace.chain_ids[rows[0]]).strip() or str(number),
            sequence="".join(trace.sequence[row] for row in rows),
            arrays={
                "coords": coords.astype(np.int16),
                "centroid": centroid[None].astype(np.float32),
                "atom_mask": bits,
                "seq": trace.residue_types[rows].astype(np.uint8),
                "flags": flags.astype(np.uint8),
            },
        )


def _write(out: Path, packed: list[_PackedChain]) -> None:
    lengths = [len(chain.sequence) for chain in packed]
    names = packed[0].arrays
    joined = {name: np.concatenate([chain.arrays[name] for chain in packed]) for name in names}
    joined["offsets"] = np.cumsum([0, *lengths])
    np.savez_compressed(out / "chains_00.npz", allow_pickle=False, **joined)
    with (out / "chains.tsv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, _COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(_table(packed))
