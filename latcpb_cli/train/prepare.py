"""Pack a folder of PDB and mmCIF files into training data."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.errors import InputError, LatcpbError, OutputExistsError
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.structure import AtomStructure
from latcpb_cli.train.packed_format import INTERFACE
from latcpb_cli.train.packed_residues import pack_chain, pack_complex

__all__ = ["PreparedData", "prepare_structures"]

_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
_MIN_RESIDUES = 8


@dataclass(frozen=True, eq=False)
class _Packed:
    """A chain or complex as it is stored.

    ``row`` holds the columns of the table that others do not change, and ``composition`` is what all members
    of a cluster have in common.
    """

    row: dict[str, str | int]
    composition: str
    arrays: dict[str, np.ndarray]


@dataclass(frozen=True)
class PreparedData:
    """What was packed.

    Attributes
    ----------
    chains, complexes : int
    skipped : list of str
        One line for each file that could not be used, with the reason.
    """

    chains: int
    complexes: int
    skipped: list[str]


def prepare_structures(folder: Path, out: Path) -> PreparedData:
    """Pack every chain of every structure file of a folder, and files of several chains as complexes.

    The first model of each file is used. Chains of the same sequence form one cluster and share its weight,
    as do complexes of the same sequences; one cluster in fifty is held out when training loads them. A file
    is a complex if two of its chains touch. Its chains are packed as well, for the stages that are trained
    on chains alone; the table of complexes lists them, so that other stages leave them out.

    Parameters
    ----------
    folder : Path
        Holds ``.pdb``, ``.ent``, ``.cif`` or ``.mmcif`` files, at any depth.
    out : Path
        Receives ``chains.tsv`` and ``chains_00.npz``, and with complexes the folder ``complexes``.

    Raises
    ------
    OutputExistsError
        ``out`` holds packed structures.
    InputError
        ``folder`` holds no structure file, or none with a protein chain.
    """
    for table in (out / "chains.tsv", out / "complexes" / "complexes.tsv"):
        if table.exists():
            raise OutputExistsError(f"{table} is already there", "give an empty folder")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise InputError(f"{folder} holds no structure files", f"expected {', '.join(_SUFFIXES)}")
    chains, complexes, skipped = _read_files(folder, files)
    if not chains:
        raise InputError(
            f"no file of {folder} holds a protein chain", skipped[0] if skipped else "check the folder"
        )
    _write(out, "chains", chains, clusters=("cluster50", "cluster30"))
    if complexes:
        _write(out / "complexes", "complexes", complexes, clusters=("cluster30",))
    return PreparedData(len(chains), len(complexes), skipped)


def _read_files(folder: Path, files: list[Path]) -> tuple[list[_Packed], list[_Packed], list[str]]:
    """Pack the chains and complexes of all files, and return the reasons why others were skipped."""
    chains: list[_Packed] = []
    complexes: list[_Packed] = []
    skipped: list[str] = []
    for path in files:
        try:
            structure = read_all_atom(path)
        except LatcpbError as error:
            skipped.append(error.message)
            continue
        # The path tells files of the same name apart; identifiers are listed with commas between them.
        name = path.relative_to(folder).with_suffix("").as_posix().replace(",", "_")
        own_chains = _chains(name, path.name, structure)
        chains += own_chains
        complexes += _complexes(name, path.name, structure, own_chains)
    return chains, complexes, skipped


def _chains(name: str, source: str, structure: AtomStructure) -> list[_Packed]:
    """Pack each chain that is long enough and fits into the format."""
    packed = []
    for chain_id, sequence, number in _chain_list(structure):
        if len(sequence) < _MIN_RESIDUES or (arrays := pack_chain(structure, number)) is None:
            continue
        row: dict[str, str | int] = {"id": f"{name}_{chain_id}", "source": source, "n_res": len(sequence)}
        packed.append(_Packed({**row, "sequence": sequence}, sequence, arrays))
    return packed


def _complexes(name: str, source: str, structure: AtomStructure, chains: list[_Packed]) -> list[_Packed]:
    """Pack the complex of a file, if it is one that fits into the format and has a chain that is packed."""
    if not chains or (arrays := pack_complex(structure)) is None:
        return []
    chain_ids, sequences, numbers = zip(*_chain_list(structure), strict=True)
    row: dict[str, str | int] = {
        "id": name,
        "source": source,
        "n_chains": len(numbers),
        "n_res": len(structure.trace),
        "n_interface": int(((arrays["flags"] & INTERFACE) > 0).sum()),
        "in_chains": ",".join(str(chain.row["id"]) for chain in chains),
        "chain_names": ",".join(chain_ids),
        "chain_lengths": ",".join(str(len(sequence)) for sequence in sequences),
        "sequence": "/".join(sequences),
    }
    return [_Packed(row, "/".join(sorted(set(sequences))), arrays)]


def _chain_list(structure: AtomStructure) -> list[tuple[str, str, int]]:
    """Identifier, sequence and number of each chain."""
    trace = structure.trace
    chains = []
    for number in np.unique(trace.chain_index).tolist():
        rows = np.flatnonzero(trace.chain_index == number)
        chain_id = str(trace.chain_ids[rows[0]]).strip() or str(number)
        chains.append((chain_id, "".join(trace.sequence[row] for row in rows), number))
    return chains


def _write(out: Path, name: str, packed: list[_Packed], clusters: Iterable[str]) -> None:
    """Write a table and its shard; the columns ``clusters`` get the number of the composition."""
    out.mkdir(parents=True, exist_ok=True)
    joined = {key: np.concatenate([each.arrays[key] for each in packed]) for key in packed[0].arrays}
    joined["offsets"] = np.cumsum([0, *(len(each.arrays["seq"]) for each in packed)])
    np.savez_compressed(out / f"{name}_00.npz", allow_pickle=False, **joined)
    numbers: dict[str, int] = {}
    rows = []
    for index, each in enumerate(packed):
        cluster = numbers.setdefault(each.composition, len(numbers))
        place = {"id": each.row["id"], "split": "train", "shard": 0, "index": index}
        rows.append({**place, **dict.fromkeys(clusters, cluster), **each.row})
    with (out / f"{name}.tsv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
