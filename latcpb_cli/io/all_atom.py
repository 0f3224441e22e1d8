"""Reading all-atom structures and trajectories into slots."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from latcpb_cli.chem.naming import extra_atom_names
from latcpb_cli.chem.residue_names import standard_name, variant_name
from latcpb_cli.chem.residues import (
    ATOM_SLOTS,
    C_SLOT,
    CA_SLOT,
    LETTERS,
    N_SLOT,
    N_SLOTS,
    NAMES,
    OXT_SLOT,
)
from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.chains import build_trace
from latcpb_cli.io.beads.labels import check_labels
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.formats import InputFiles
from latcpb_cli.io.readers.frames import Trajectory
from latcpb_cli.options import FrameWindow
from latcpb_cli.structure import AtomStructure, CGTrace

__all__ = ["read_all_atom"]

_TERMINAL_NAMES = {
    "OT1": "O", "OC1": "O", "O1": "O", "O'": "O",
    "OT2": "OXT", "OC2": "OXT", "O2": "OXT", "O''": "OXT",
}  # fmt: skip
"""Other names of the two oxygens of a C terminus (CHARMM, GROMACS, old PDB)."""
_OTHER_NAMES = {("ILE", "CD"): "CD1", ("MET", "SE"): "SD", ("MET", "S"): "SD"}
"""Other names of heavy atoms, and the selenium of selenomethionine, which is read as sulphur."""


@dataclass
class _Residue:
    """A residue of the file.

    Attributes
    ----------
    given : str
        Its name in the file.
    name : str or None
        Name of the amino acid, None for anything else.
    extra_names : frozenset of str
        Names of atoms that a modified residue has in addition to its parent.
    rows : dict of int to int
        Row of the atom table for each slot.
    """

    given: str
    name: str | None
    extra_names: frozenset[str]
    rows: dict[int, int] = field(default_factory=dict)


def read_all_atom(path: Path, top: Path | None = None) -> AtomStructure:
    """Read every frame of an all-atom structure or trajectory.

    Hydrogens are ignored, and so are the atoms that a modified residue (SEP,
    ...) has in addition to its parent; of alternate locations the first
    counts; residue and atom names of the usual force fields are understood.
    Residues that are not an amino acid or have no CA are left out and counted.

    Parameters
    ----------
    path : pathlib.Path
        Any format that `open_source` reads; a trajectory needs ``top``.
    top : pathlib.Path, optional
        Structure that names the atoms of ``path``.

    Returns
    -------
    AtomStructure

    Raises
    ------
    InputError
        A file is missing, damaged, of an unknown format, or does not hold
        backbone atoms of a protein.
    """
    topology_path = path if top is None else top
    files = InputFiles([topology_path, path])
    table = files.read_topology(topology_path)
    trajectory = files.open_trajectory([path], FrameWindow(), len(table))
    if trajectory.files[0].n_atoms != len(table):
        raise InputError(
            f"{path}: {trajectory.files[0].n_atoms} atoms, but {topology_path} has {len(table)}",
            "give the topology that the trajectory was written with",
        )
    residues, left_out = _group_residues(table)
    _check_protein(residues, topology_path)
    rows = np.array([row for residue in residues for row in residue.rows.values()], dtype=np.int64)
    check_labels(
        trajectory, np.arange(len(trajectory)), table.select(rows), rows, files.frame_file(topology_path)
    )
    owner = np.repeat(np.arange(len(residues)), [len(residue.rows) for residue in residues])
    slots = np.array([slot for residue in residues for slot in residue.rows], dtype=np.int64)
    present = np.zeros((len(residues), N_SLOTS), dtype=bool)
    present[owner, slots] = True
    atoms = np.zeros((len(trajectory), len(residues), N_SLOTS, 3), dtype=np.float32)
    for index in range(len(trajectory)):
        atoms[index, owner, slots] = _read_positions(path, trajectory, index, rows)
    trace = _build_trace(table, residues, atoms[0, :, CA_SLOT])
    return AtomStructure(trace, atoms, present, left_out)


def _group_residues(table: AtomTable) -> tuple[list[_Residue], dict[str, int]]:
    """Group rows by residue; return the residues with a CA, and the others counted by name."""
    residues: list[_Residue] = []
    site_before = None
    columns = (table.segment_index, table.chain_ids, table.resids, table.icodes)
    for row, (site, given, atom, altloc) in enumerate(
        zip(zip(*columns, strict=True), table.resnames, table.names, table.altlocs, strict=True)
    ):
        other_name = site_before is not None and site == site_before and residues[-1].given != given
        if other_name and altloc:
            continue
        if site != site_before or other_name:
            residues.append(_Residue(str(given), *_interpret_name(str(given))))
            site_before = site
        slot = _find_slot(residues[-1].name, str(atom).upper())
        if slot is not None and str(atom).upper() not in residues[-1].extra_names:
            residues[-1].rows.setdefault(slot, row)
    kept = [residue for residue in residues if CA_SLOT in residue.rows]
    others = Counter(residue.given for residue in residues if CA_SLOT not in residue.rows)
    return kept, dict(others)


@cache
def _interpret_name(given: str) -> tuple[str | None, frozenset[str]]:
    """Return the amino acid that a name means, and the names of its extra atoms."""
    return standard_name(given), extra_atom_names(variant_name(given))


def _find_slot(name: str | None, atom: str) -> int | None:
    """Return the slot of an atom, None for hydrogens and for unknown residues."""
    if name is None:
        return None
    atom = _OTHER_NAMES.get((name, atom), _TERMINAL_NAMES.get(atom, atom))
    if atom == "OXT":
        return OXT_SLOT
    slots = ATOM_SLOTS[NAMES.index(name)]
    return slots.index(atom) if atom in slots else None


def _check_protein(residues: list[_Residue], path: Path) -> None:
    """Raise where no residue is an amino acid with atoms of the backbone."""
    if not residues:
        raise InputError(f"{path}: no amino acid with a CA atom", "give the structure of a protein")
    if not any(slot in residue.rows for residue in residues for slot in (N_SLOT, C_SLOT)):
        raise InputError(
            f"{path}: Cα atoms only, no backbone N or C", "backmap it first with: latcpb backmap"
        )


def _read_positions(
    path: Path, trajectory: Trajectory, frame: int, rows: Int64[np.ndarray, "N"]
) -> Float32[np.ndarray, "N 3"]:
    """Read some rows of a frame; raise where a position is not a number."""
    positions: np.ndarray = trajectory.read(frame).positions[rows]
    if not np.isfinite(positions).all():
        raise InputError(
            f"{path}: frame {frame} has a position that is not a number",
            "the file is damaged; write it again",
        )
    return positions


def _build_trace(table: AtomTable, residues: list[_Residue], ca: Float32[np.ndarray, "L 3"]) -> CGTrace:
    beads = table.select(np.array([residue.rows[CA_SLOT] for residue in residues]))
    sequence = "".join(LETTERS[NAMES.index(str(residue.name))] for residue in residues)
    distances = np.linalg.norm(np.diff(ca, axis=0), axis=1)
    return build_trace(beads, sequence, distances)[0]
