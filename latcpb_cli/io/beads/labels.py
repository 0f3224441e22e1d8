"""Whether every frame that names its atoms names the same residues as the topology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Int64, Shaped

from latcpb_cli.chem.residue_names import standard_name
from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.frames import FrameFile, StructureFile, Trajectory

__all__ = ["check_labels"]


@dataclass(frozen=True, eq=False)
class _Comparison:
    """What is compared between the beads of the topology and those of a frame.

    Attributes
    ----------
    numbers, names : bool
        Whether residue numbers, and whether names of atoms count. They do
        where both come from one format: programs number the residues of a
        topology and of a structure each in their own way.
    residues : bool
        Whether the names of residues count; they do not where the user gives
        the sequence.
    """

    numbers: bool
    names: bool
    residues: bool


def check_labels(
    trajectory: Trajectory,
    frames: Int[np.ndarray, "F"],
    beads: AtomTable,
    atom_indices: Int64[np.ndarray, "L"],
    topology: FrameFile | None,
    check_residues: bool = True,
) -> None:
    """Raise where a frame holds other residues than the topology, or the same ones in another order.

    Parameters
    ----------
    trajectory : Trajectory
    frames : numpy.ndarray of int64, shape (F,)
        Numbers of the frames to check.
    beads : AtomTable
        The beads as the topology names them; L rows.
    atom_indices : numpy.ndarray of int64, shape (L,)
        Atom of a frame that each bead is.
    topology : FrameFile or None
        The file that names the beads, if it is one that also holds frames.
    check_residues : bool
        Whether residues must have the same names; false where the user gives
        the sequence.

    Raises
    ------
    InputError
        It names the file, the frame and the first bead that differs.
    """
    for file, index in _differing_frames(trajectory, frames, topology):
        same_format = type(file) is type(topology)
        several_atoms = file.n_atoms > len(beads)
        comparison = _Comparison(same_format, same_format or several_atoms, check_residues)
        others = file.read_atoms(index).select(atom_indices)
        differs = _differences(beads, others, comparison)
        if differs.any():
            row = int(np.flatnonzero(differs)[0])
            where = f"model {index + 1}" if file.n_frames > 1 else "it"
            raise InputError(
                f"{file.path}: {where} has {_describe(others, row)} where {_topology_name(topology)} has "
                f"{_describe(beads, row)} (bead {row + 1} of {len(beads)})",
                "frames of one trajectory hold the same residues in the same order; give each structure "
                "by itself (latcpb backmap *.pdb -o outdir/)",
            )


def _differing_frames(
    trajectory: Trajectory, frames: Int[np.ndarray, "F"], topology: FrameFile | None
) -> Iterator[tuple[StructureFile, int]]:
    """Yield the file and the number of each frame whose labels are not those of one that is known.

    Of the frames with the labels of the first frame of their file only one is
    yielded, none where that frame is the topology.
    """
    known = {id(topology)}
    for frame in frames.tolist():
        file, index = trajectory.locate(frame)
        if not isinstance(file, StructureFile) or not file.names_atoms:
            continue
        if file.has_own_labels(index):
            yield file, index
        elif id(file) not in known:
            known.add(id(file))
            yield file, index


def _differences(beads: AtomTable, others: AtomTable, comparison: _Comparison) -> Bool[np.ndarray, "L"]:
    """Mark the beads that differ between two tables."""
    differs = np.zeros(len(beads), dtype=bool)
    if comparison.residues:
        differs |= _amino_acids(beads.resnames) != _amino_acids(others.resnames)
    if comparison.numbers:
        differs |= (beads.resids != others.resids) | (beads.icodes != others.icodes)
    if comparison.names and beads.names.any() and others.names.any():
        differs |= np.char.upper(beads.names) != np.char.upper(others.names)
    if beads.chain_ids.any() and others.chain_ids.any():
        same_ids = set(beads.chain_ids.tolist()) == set(others.chain_ids.tolist())
        if comparison.numbers or same_ids:
            differs |= beads.chain_ids != others.chain_ids
    return differs


def _amino_acids(resnames: Shaped[np.ndarray, "L"]) -> Shaped[np.ndarray, "L"]:
    """Return the standard name of each residue, so that states of protonation compare equal."""
    names = np.char.upper(resnames)
    standard = {name: standard_name(name) or name for name in set(names.tolist())}
    return np.array([standard[name] for name in names.tolist()])


def _describe(beads: AtomTable, row: int) -> str:
    chain = str(beads.chain_ids[row])
    residue = f"{beads.resnames[row]}{beads.resids[row]}{beads.icodes[row]}"
    return f"{chain + ':' if chain else ''}{residue} ({beads.names[row]})"


def _topology_name(topology: FrameFile | None) -> str:
    return "the topology" if topology is None else f"the first model of {topology.path.name}"
