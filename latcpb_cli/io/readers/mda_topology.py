"""Topologies and selections through MDAnalysis."""

from __future__ import annotations

from typing import Any

import MDAnalysis
import numpy as np
from jaxtyping import Float, Int64

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.readers.atoms import AtomTable, segments_from_bonds
from latcpb_cli.io.readers.input_file import InputFile, bounded_lines
from latcpb_cli.io.readers.mda import MdaFile, damaged_as_input_error, mda_format
from latcpb_cli.io.readers.suppress_warnings import suppress_warnings

__all__ = ["MdaStructureFile", "atom_table", "data_options", "read_mda_atoms", "select_atoms"]

_MAX_BYTES = 2 << 30
"""MDAnalysis holds topologies in memory as a whole."""
_ATOM_STYLES = {5: "id type x y z", 6: "id resid type x y z", 7: "id resid type charge x y z"}
"""Columns of the Atoms section of LAMMPS DATA files, by their number without image flags."""


class MdaStructureFile(MdaFile):
    """A file of a format that names its atoms, such as .crd or .data, through MDAnalysis.

    Parameters
    ----------
    file : InputFile
    n_atoms : int
        Atoms of the topology.
    """

    names_atoms = True

    def __init__(self, file: InputFile, n_atoms: int) -> None:
        super().__init__(file, n_atoms, **data_options(file))

    def read_atoms(self, index: int = 0) -> AtomTable:
        """List the atoms of the first frame."""
        return read_mda_atoms(self._file)

    def has_own_labels(self, index: int) -> bool:
        """Return False: MDAnalysis reads the names of the first frame only."""
        return False


def data_options(file: InputFile) -> dict[str, Any]:
    """Derive the atom style of a LAMMPS DATA file from its first atom; {} for other formats."""
    if mda_format(file.suffix) != "DATA":
        return {}
    in_atoms = False
    with file.readable.open("rb") as handle:
        for line in bounded_lines(handle):
            fields = line.partition(b"#")[0].split()
            if in_atoms and fields:
                # Image flags are three whole numbers after the coordinates.
                n_columns = len(fields) - 3 if len(fields) in (8, 9, 10) else len(fields)
                return {"atom_style": _ATOM_STYLES[n_columns]} if n_columns in _ATOM_STYLES else {}
            in_atoms = in_atoms or fields == [b"Atoms"]
    return {}


def read_mda_atoms(file: InputFile) -> AtomTable:
    """Read the atoms of a topology; particle types replace residue names that are missing."""
    if file.size > _MAX_BYTES:
        raise InputError(
            f"{file.path}: {file.size >> 20:,} MiB of topology", "give a topology of the beads alone"
        )
    with suppress_warnings(), damaged_as_input_error(file.path):
        with MDAnalysis._PARSERS[mda_format(file.suffix)](str(file.readable)) as parser:
            topology = parser.parse(**data_options(file))
        return atom_table(MDAnalysis.Universe(topology, to_guess=()).atoms)


def atom_table(atoms: Any) -> AtomTable:
    """List the atoms of a group; particle types replace residue names that are missing.

    Parameters
    ----------
    atoms : MDAnalysis.core.groups.AtomGroup

    Returns
    -------
    AtomTable
    """
    n_atoms = len(atoms)
    resids = _column(atoms, "resids", np.ones(n_atoms)).astype(np.int64)
    chain_ids = _text(atoms, "chainIDs")
    segids = _text(atoms, "segids")
    if not chain_ids.any() and max(map(len, segids.tolist())) == 1:
        chain_ids = segids
    segment_index = segments_from_bonds(_bonds(atoms), n_atoms)
    segment_index[1:] += np.cumsum(segids[1:] != segids[:-1])
    resnames, names = _text(atoms, "resnames"), _text(atoms, "names")
    if not resnames.any():
        # LAMMPS numbers molecules where others number residues.
        segment_index[1:] += np.cumsum(resids[1:] != resids[:-1])
        resnames, resids = _text(atoms, "types"), np.arange(1, n_atoms + 1)
    icodes, altlocs = _text(atoms, "icodes"), _text(atoms, "altLocs")
    return AtomTable(names, resnames, resids, icodes, altlocs, chain_ids, segment_index)


def _column(atoms: Any, name: str, default: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(getattr(atoms, name))
    except (MDAnalysis.exceptions.NoDataError, AttributeError):
        return default


def _text(atoms: Any, name: str) -> np.ndarray:
    column = _column(atoms, name, np.full(len(atoms), ""))
    text = np.char.strip(np.array([str(value) for value in column]))
    return np.where(text == "SYSTEM", "", text) if name in ("segids", "chainIDs") else text


def _bonds(atoms: Any) -> Int64[np.ndarray, "B 2"]:
    """Return the bonds between atoms of a group, as pairs of its rows."""
    try:
        pairs = np.asarray(atoms.universe.bonds.indices, dtype=np.int64).reshape(-1, 2)
        row = np.full(len(atoms.universe.atoms), -1)
        row[atoms.ix] = np.arange(len(atoms))
        return row[pairs[(row[pairs] >= 0).all(axis=1)]]
    except (MDAnalysis.exceptions.NoDataError, AttributeError):
        return np.zeros((0, 2), dtype=np.int64)


def select_atoms(
    table: AtomTable, positions: Float[np.ndarray, "N 3"], selection: str
) -> Int64[np.ndarray, "M"]:
    """Apply a selection in the language of MDAnalysis.

    Parameters
    ----------
    table : AtomTable
    positions : numpy.ndarray, shape (N, 3)
        In Å, for geometric selections.
    selection : str

    Returns
    -------
    numpy.ndarray of int64, shape (M,)
        Rows that are selected, in file order.

    Raises
    ------
    UsageError
        The selection cannot be parsed.
    """
    residue = table.residue_index()
    first = np.unique(residue, return_index=True)[1]
    segments, segment = np.unique(table.chain_ids[first], return_inverse=True)
    universe = MDAnalysis.Universe.empty(
        len(table),
        n_residues=len(first),
        n_segments=len(segments),
        atom_resindex=residue,
        residue_segindex=segment,
        trajectory=True,
    )
    for attribute, values in (
        ("names", table.names),
        ("chainIDs", table.chain_ids),
        ("altLocs", table.altlocs),
        ("resnames", table.resnames[first]),
        ("resids", table.resids[first]),
        ("icodes", table.icodes[first]),
        ("segids", segments),
    ):
        universe.add_TopologyAttr(attribute, values.astype(object) if values.dtype.kind == "U" else values)
    universe.atoms.positions = positions
    try:
        with suppress_warnings():
            return np.asarray(universe.select_atoms(selection).indices)
    except (ValueError, AttributeError, TypeError, MDAnalysis.exceptions.SelectionError) as error:
        raise UsageError(
            f"selection '{selection}' is not understood ({str(error).splitlines()[0]})",
            "see https://userguide.mdanalysis.org/stable/selections.html",
        ) from None
