"""Reading all-atom structures and trajectories into slots."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from latcpb_cli.chem.naming import extra_names
from latcpb_cli.chem.residue_names import standard_name, variant_name
from latcpb_cli.chem.residues import ATOM_SLOTS, LETTERS, N_SLOTS, NAMES, OXT_SLOT
from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.chains import build_trace
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.formats import open_frames, open_inputs, read_topology
from latcpb_cli.io.readers.frames import Trajectory
from latcpb_cli.options import FrameWindow
from latcpb_cli.structure import AtomStructure, CGTrace

__all__ = ["read_all_atom"]

_TERMINAL = {
    "OT1": "O", "OC1": "O", "O1": "O", "O'": "O",
    "OT2": "OXT", "OC2": "OXT", "O2": "OXT", "O''": "OXT",
}  # fmt: skip
"""Other names of the two oxygens of a C terminus (CHARMM, GROMACS, old PDB)."""
_RENAMED = {("ILE", "CD"): "CD1", ("MET", "SE"): "SD", ("MET", "S"): "SD"}
_CA, _BACKBONE = 1, (0, 2)


@dataclass
class _Residue:
    """Rows of the atom table by slot; ``name`` is None for a residue we do not know.

    ``extras`` are the names of atoms that its parent does not have.
    """

    given: str
    name: str | None
    extras: frozenset[str]
    rows: dict[int, int] = field(default_factory=dict)


def read_all_atom(path: Path, top: Path | None = None) -> AtomStructure:
    """Read every frame of an all-atom structure or trajectory.

    Hydrogens are ignored, and so is what a modified residue (SEP, ...) has more
    than its parent; of alternate locations the first counts; residue and atom
    names of the usual force fields are understood. Residues that are no
    amino acid or have no CA are left out and counted.

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
        A file is missing, damaged, of an unknown format, or holds no protein
        with all atoms.
    """
    topology_path = path if top is None else top
    opened = open_inputs([topology_path, path])
    table = read_topology(opened[topology_path])
    trajectory = open_frames([opened[path]], FrameWindow(), len(table))
    if trajectory.files[0].n_atoms != len(table):
        raise InputError(
            f"{path}: {trajectory.files[0].n_atoms} atoms, but {topology_path} has {len(table)}",
            "give the topology that the trajectory was written with",
        )
    residues, left_out = _residues(table)
    _refuse_no_protein(residues, topology_path)
    rows = np.array([row for residue in residues for row in residue.rows.values()], dtype=np.int64)
    owner = np.repeat(np.arange(len(residues)), [len(residue.rows) for residue in residues])
    slot = np.array([s for residue in residues for s in residue.rows], dtype=np.int64)
    present = np.zeros((len(residues), N_SLOTS), dtype=bool)
    present[owner, slot] = True
    atoms = _read_frames(path, trajectory, rows, (owner, slot), len(residues))
    trace = _trace(table, residues, atoms[0, :, _CA])
    return AtomStructure(trace, atoms, present, left_out)


def _residues(table: AtomTable) -> tuple[list[_Residue], dict[str, int]]:
    """Group the rows by residue; returns those we keep and the others counted by name."""
    found: list[_Residue] = []
    before = None
    columns = (table.parts, table.chain_ids, table.resids, table.icodes)
    for row, (site, given, atom, altloc) in enumerate(
        zip(zip(*columns, strict=True), table.resnames, table.names, table.altlocs, strict=True)
    ):
        other_name = before is not None and site == before and found[-1].given != given
        if other_name and altloc:
            continue
        if site != before or other_name:
            found.append(_Residue(str(given), *_named(str(given))))
            before = site
        slot = _slot(found[-1].name, str(atom).upper())
        if slot is not None and str(atom).upper() not in found[-1].extras:
            found[-1].rows.setdefault(slot, row)
    kept = [residue for residue in found if _CA in residue.rows]
    others = Counter(residue.given for residue in found if _CA not in residue.rows)
    return kept, dict(others)


@cache
def _named(given: str) -> tuple[str | None, frozenset[str]]:
    return standard_name(given), extra_names(variant_name(given))


def _slot(name: str | None, atom: str) -> int | None:
    """Slot of an atom, None for hydrogens and for residues we do not know."""
    if name is None:
        return None
    atom = _RENAMED.get((name, atom), _TERMINAL.get(atom, atom))
    if atom == "OXT":
        return OXT_SLOT
    slots = ATOM_SLOTS[NAMES.index(name)]
    return slots.index(atom) if atom in slots else None


def _refuse_no_protein(residues: list[_Residue], path: Path) -> None:
    if not residues:
        raise InputError(f"{path}: no amino acid with a CA atom", "give the structure of a protein")
    if not any(slot in residue.rows for residue in residues for slot in _BACKBONE):
        raise InputError(
            f"{path}: Cα atoms only, no backbone N or C", "backmap it first with: latcpb backmap"
        )


def _read_frames(
    path: Path,
    trajectory: Trajectory,
    rows: np.ndarray,
    where: tuple[np.ndarray, np.ndarray],
    n_residues: int,
) -> np.ndarray:
    atoms = np.zeros((len(trajectory), n_residues, N_SLOTS, 3), dtype=np.float32)
    for index in range(len(trajectory)):
        positions = trajectory.read(index).positions[rows]
        if not np.isfinite(positions).all():
            raise InputError(
                f"{path}: frame {index} has a position that is not a number",
                "the file is damaged; write it again",
            )
        atoms[index, where[0], where[1]] = positions
    return atoms


def _trace(table: AtomTable, residues: list[_Residue], alphas: np.ndarray) -> CGTrace:
    beads = table.take(np.array([residue.rows[_CA] for residue in residues]))
    sequence = "".join(LETTERS[NAMES.index(str(residue.name))] for residue in residues)
    gaps = np.linalg.norm(np.diff(alphas, axis=0), axis=1)
    return build_trace(beads, sequence, gaps)[0]
