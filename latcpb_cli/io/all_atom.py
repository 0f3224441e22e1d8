"""All-atom structures and trajectories, read into slots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, LETTERS, N_SLOT, N_SLOTS, NAMES
from latcpb_cli.errors import InputError
from latcpb_cli.io.assemble import NamedFrames
from latcpb_cli.io.atom_slots import ResidueAtoms, group_residues
from latcpb_cli.io.atom_source import AtomSource, Hydrogens
from latcpb_cli.io.beads.chains import build_trace
from latcpb_cli.io.beads.labels import check_labels
from latcpb_cli.io.beads.rings import find_cyclic_chains
from latcpb_cli.io.beads.whole import shortest_images
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.formats import InputFiles, OptionNames
from latcpb_cli.io.readers.frame_choice import choose_frames
from latcpb_cli.read_options import FrameWindow
from latcpb_cli.structure import AtomStructure, CGTrace

__all__ = ["assemble_atom_source", "open_all_atom", "read_all_atom"]

_MAX_BOND_TO_HYDROGEN = 1.5
"""Å; a hydrogen farther from all heavy atoms of its residue is left out."""
_ALL_FRAMES = FrameWindow()


def read_all_atom(path: Path, top: Path | None = None) -> AtomStructure:
    """Read every frame of an all-atom structure or trajectory into memory.

    Parameters, and what is read, are those of `open_all_atom`.
    """
    source = open_all_atom(path, top)
    return AtomStructure(source.trace, source.read(0, len(source)), source.present, source.left_out)


def open_all_atom(
    path: Path,
    top: Path | None = None,
    window: FrameWindow = _ALL_FRAMES,
    selection: str | None = None,
    top_option: str = "--top",
) -> AtomSource:
    """Open an all-atom structure or trajectory; frames are read when they are needed.

    The atoms that a modified residue (SEP, ...) has in addition to its parent
    are ignored; of alternate locations the first counts; residue and atom names
    of the usual force fields are understood. Residues that are not an amino
    acid, have no CA, or are at 0, 0, 0 are left out and counted. Chains whose
    ends are bonded in the first frame are cyclic.

    Parameters
    ----------
    path : pathlib.Path
        Any format that `open_source` reads; a trajectory needs ``top``.
    top : pathlib.Path, optional
        Structure that names the atoms of ``path``.
    window : FrameWindow
        Frames to use; all by default.
    selection : str, optional
        Atoms to use, in the language of MDAnalysis.
    top_option : str
        Option of the command line that gives ``top``, for hints.

    Returns
    -------
    AtomSource

    Raises
    ------
    InputError
        A file is missing, damaged, of an unknown format, or does not hold
        backbone atoms of a protein.
    UsageError
        The selection is not understood.
    """
    topology_path = path if top is None else top
    files = InputFiles([topology_path, path], option_names=OptionNames(top_option, "", ""))
    table = files.read_topology(topology_path)
    trajectory = files.open_trajectory([path], window, len(table))
    if trajectory.files[0].n_atoms != len(table):
        raise InputError(
            f"{path}: {trajectory.files[0].n_atoms} atoms, but {topology_path} has {len(table)}",
            "give the topology that the trajectory was written with",
        )
    topology = files.frame_file(topology_path)
    given = NamedFrames(table, trajectory, topology_path, topology, paths=files.paths)
    return assemble_atom_source(given, window, selection)


def assemble_atom_source(
    given: NamedFrames, window: FrameWindow = _ALL_FRAMES, selection: str | None = None
) -> AtomSource:
    """Find the residues of an all-atom structure and their atoms; see `open_all_atom`.

    Parameters
    ----------
    given : NamedFrames
        All atoms are in all frames.
    window : FrameWindow
    selection : str, optional

    Returns
    -------
    AtomSource

    Raises
    ------
    InputError, UsageError
    """
    table, trajectory, topology_path = given.atoms, given.trajectory, given.path
    choice = choose_frames(window, trajectory)
    frame = trajectory.read(int(choice.numbers[0]))
    first = frame.positions
    selected = _select(table, first, selection, topology_path)
    residues, left_out = group_residues(table.select(selected))
    residues, empty = _drop_empty(residues, first[selected])
    left_out = left_out | ({"at 0, 0, 0": empty} if empty else {})
    _check_protein(residues, topology_path)
    rows = selected[[row for residue in residues for row in residue.rows.values()]]
    check_labels(trajectory, choice.numbers, table.select(rows), rows, given.topology)
    ca = selected[[residue.rows[CA_SLOT] for residue in residues]]
    trace = _build_trace(table.select(ca), residues, first[ca], frame.box)
    owner = np.repeat(np.arange(len(residues)), [len(residue.rows) for residue in residues])
    slots = np.array([slot for residue in residues for slot in residue.rows], dtype=np.int64)
    present = np.zeros((len(residues), N_SLOTS), dtype=bool)
    present[owner, slots] = True
    hydrogens = _find_hydrogens(residues, selected, first)
    indices = np.where(present, 0, -1)
    indices[owner, slots] = rows
    trace = replace(trace, cyclic_chains=find_cyclic_chains(trace, first[indices], present))
    return AtomSource(given.paths, trace, present, left_out, hydrogens, choice, trajectory, indices)


def _select(
    table: AtomTable, positions: Float32[np.ndarray, "N 3"], selection: str | None, path: Path
) -> Int64[np.ndarray, "M"]:
    """Return the rows of the atoms that are selected."""
    if selection is None:
        return np.arange(len(table))
    from latcpb_cli.io.readers.mda_topology import select_atoms

    rows = select_atoms(table, positions, selection)
    if len(rows) == 0:
        raise InputError(f"{path}: --select '{selection}' selects nothing", "check names and numbers")
    return rows


def _drop_empty(
    residues: list[ResidueAtoms], positions: Float32[np.ndarray, "M 3"]
) -> tuple[list[ResidueAtoms], int]:
    """Leave out residues whose atoms are all at 0, 0, 0, and count them."""
    placed = [residue for residue in residues if positions[list(residue.rows.values())].any()]
    return placed, len(residues) - len(placed)


def _check_protein(residues: list[ResidueAtoms], path: Path) -> None:
    """Raise where no residue is an amino acid with atoms of the backbone."""
    if not residues:
        raise InputError(f"{path}: no amino acid with a CA atom", "give the structure of a protein")
    if not any(slot in residue.rows for residue in residues for slot in (N_SLOT, C_SLOT)):
        raise InputError(
            f"{path}: Cα atoms only, no backbone N or C", "backmap it first with: latcpb backmap"
        )


def _find_hydrogens(
    residues: list[ResidueAtoms], selected: Int64[np.ndarray, "M"], positions: Float32[np.ndarray, "N 3"]
) -> Hydrogens | None:
    """Assign each hydrogen to the nearest heavy atom of its residue; None where there is none."""
    rows, owners, parents = [], [], []
    for index, residue in enumerate(residues):
        slots = list(residue.rows)
        heavy = positions[selected[list(residue.rows.values())]]
        for row in residue.hydrogens:
            distances = np.linalg.norm(heavy - positions[selected[row]], axis=1)
            if distances.min() <= _MAX_BOND_TO_HYDROGEN:
                rows.append(int(selected[row]))
                owners.append(index)
                parents.append(slots[int(distances.argmin())])
    return Hydrogens(np.array(rows), np.array(owners), np.array(parents)) if rows else None


def _build_trace(
    beads: AtomTable,
    residues: list[ResidueAtoms],
    ca: Float32[np.ndarray, "L 3"],
    box: Float32[np.ndarray, "6"],
) -> CGTrace:
    sequence = "".join(LETTERS[NAMES.index(str(residue.name))] for residue in residues)
    steps = np.diff(ca.astype(np.float64), axis=0)
    distances = np.linalg.norm(shortest_images(steps[None], box[None])[0], axis=1)
    return build_trace(beads, sequence, distances)[0]
