"""The second beads of residues, at the centres of their side chains, beside Cα beads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int64

from latcpb_cli.chem.residues import ALA
from latcpb_cli.chem.side_chain_centers import center_distances
from latcpb_cli.choices import SideChainCenter
from latcpb_cli.errors import InputError
from latcpb_cli.io.bead_reader import BeadReader
from latcpb_cli.io.beads.whole import gather_around_beads
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.structure import CGTrace

__all__ = ["choose_side_chain_beads", "describe_strayed", "drop_strayed", "find_side_chain_beads"]

SIDE_CHAIN_OFFER = "centres of side chains are there, too: --beads ca+sc builds side chains on them"
"""The note on an input whose side-chain beads could be used."""

_NAMES = ("SC", "SCM", "CMA", "CEN")
"""Atom names of the centre of a side chain in residues of more atoms; the first that a residue has counts."""
_MAX_MEAN_DEVIATION = 0.5
"""Å from the usual distances, over all residues but Gly and Ala: centres of mass have 0.15, Cβ 1.2."""
_MAX_STRAY = 2.5
"""Å by which a bead may be farther from its Cα than the mean."""
_MIN_OFFERED = 0.9
"""Part of the residues but Gly that must have a bead for the note that offers them."""


def find_side_chain_beads(
    table: AtomTable, beads: Int64[np.ndarray, "L"], sequence: str, name: str | None
) -> Int64[np.ndarray, "L"]:
    """Find the bead of the side chain in the residue of each Cα bead.

    Parameters
    ----------
    table : AtomTable
        With one location of each atom.
    beads : numpy.ndarray of int64, shape (L,)
        Rows of the Cα beads.
    sequence : str
        One letter per bead; glycine has no side chain.
    name : str or None
        Atom name of the beads; by default SC, SCM, CMA or CEN, else the only atom of a residue beside its Cα.

    Returns
    -------
    numpy.ndarray of int64, shape (L,)
        Rows; -1 where a residue has no such bead, or several Cα beads.
    """
    residue, rows = table.residue_index(), np.full(len(beads), -1)
    bead = np.full(residue[-1] + 1, -1)
    bead[residue[beads]] = np.arange(len(beads))
    bead[np.bincount(residue[beads], minlength=len(bead)) > 1] = -1
    members = np.flatnonzero(bead[residue] >= 0)
    members = members[~np.isin(members, beads)]
    if name is None:
        alone = np.bincount(residue[members], minlength=len(bead)) == 1
        only = members[alone[residue[members]]]
        rows[bead[residue[only]]] = only
    names = np.char.upper(table.names[members])
    for wanted in reversed(_NAMES if name is None else (name.upper(),)):
        named = members[names == wanted][::-1]  # of several, the first stays
        rows[bead[residue[named]]] = named
    rows[np.array(list(sequence)) == "G"] = -1
    return rows


def choose_side_chain_beads(
    path: Path, trace: CGTrace, reader: BeadReader, frame: int, bead_name: str, options: ReadOptions
) -> tuple[CGTrace, tuple[str, ...]]:
    """Decide whether the beads of side chains are read.

    Parameters
    ----------
    path : pathlib.Path
        For messages.
    trace : CGTrace
    reader : BeadReader
        With ``side_chain_indices``.
    frame : int
        Number of the frame that is checked.
    bead_name : str
        Atom name of the Cα beads.
    options : ReadOptions
        ``beads`` decides.

    Returns
    -------
    trace : CGTrace
        With ``side_chain_center`` where they are read.
    notes : tuple of str
        What is read, or could be.

    Raises
    ------
    InputError
        The user wants them, and there are none, or they are not at the centres of side chains.
    """
    wanted = options.beads == "ca+sc"
    if wanted and bead_name.upper() == "BB":
        raise InputError(
            f"{path}: beads named BB are those of Martini, which stand at no Cα", "leave out --beads ca+sc"
        )
    indices = reader.side_chain_indices
    has_bead = np.zeros(len(trace), dtype=bool) if indices is None else indices >= 0
    n_beads, n_expected = int(has_bead.sum()), len(trace) - trace.sequence.count("G")
    if wanted and not n_beads:
        named = ", ".join(_NAMES) if options.sc_bead is None else options.sc_bead
        raise InputError(
            f"{path}: no residue has a bead of its side chain ({named}, or the only atom beside its Cα)",
            "name these beads with --sc-bead, or leave out --beads ca+sc",
        )
    if not n_beads or not (wanted or (options.beads == "auto" and trace.com_beads is None)):
        return trace, ()
    deviation = _mean_deviation(trace, *_read(reader, frame), options.sc_center)
    is_center = deviation <= _MAX_MEAN_DEVIATION
    if not wanted:
        offered = is_center and n_beads >= _MIN_OFFERED * n_expected
        return trace, (SIDE_CHAIN_OFFER,) if offered else ()
    problem = f"beads of side chains are {deviation:.1f} Å nearer to, or farther from, their Cα than centres"
    if not is_center and not options.force:
        raise InputError(
            f"{path}: {problem}",
            "are these other atoms, such as Cβ? give their name with --sc-bead, or leave out --beads ca+sc",
        )
    note = f"side chains: beads of {n_beads} of {n_expected} residues but Gly"
    return replace(trace, side_chain_center=options.sc_center), (note,) if is_center else (note, problem)


def _read(reader: BeadReader, frame: int) -> tuple[Float[np.ndarray, "L 3"], Float[np.ndarray, "L 3"]]:
    """Read the Cα and the side-chain beads of a frame."""
    assert reader.side_chain_indices is not None  # or there is nothing to read
    beads, others = reader.read_with(frame, reader.side_chain_indices[:, None])
    gathered = gather_around_beads(others[None], beads.positions[None], beads.box[None])
    return beads.positions, gathered[0, :, 0]


def _mean_deviation(
    trace: CGTrace,
    positions: Float[np.ndarray, "L 3"],
    side_chains: Float[np.ndarray, "L 3"],
    center: SideChainCenter,
) -> float:
    """Mean deviation (Å) from the usual distances between Cα and centres of side chains; 0 for Ala alone."""
    deviation = np.abs(_distance(positions, side_chains) - center_distances(center)[trace.residue_types])
    known = np.isfinite(deviation) & (trace.residue_types != ALA)
    return float(deviation[known].mean()) if known.any() else 0.0


def _distance(
    positions: Float[np.ndarray, "*f L 3"], side_chains: Float[np.ndarray, "*f L 3"]
) -> Float[np.ndarray, "*f L"]:
    step = side_chains.astype(np.float64) - positions
    return np.asarray(np.sqrt((step * step).sum(-1)))


def drop_strayed(
    trace: CGTrace, side_chains: Float[np.ndarray, "F L 3"], positions: Float[np.ndarray, "F L 3"]
) -> tuple[Float[np.ndarray, "F L 3"], Bool[np.ndarray, "F L"]]:
    """Leave out side-chain beads that are too far from their Cα.

    Parameters
    ----------
    trace : CGTrace
    side_chains : numpy.ndarray of float32, shape (F, L, 3)
        Å; nan for residues without a bead.
    positions : numpy.ndarray, shape (F, L, 3)
        Cα, Å.

    Returns
    -------
    side_chains : numpy.ndarray of float32, shape (F, L, 3)
    strayed : numpy.ndarray of bool, shape (F, L)
        Beads that are left out.
    """
    most = np.nan_to_num(center_distances("mass"))[trace.residue_types] + _MAX_STRAY
    strayed = _distance(positions, side_chains) > most
    return np.where(strayed[..., None], np.float32(np.nan), side_chains), strayed


def describe_strayed(trace: CGTrace, strayed: Bool[np.ndarray, "L"]) -> str:
    """Describe the side-chain beads of a frame that are left out; "" for none."""
    residues = np.flatnonzero(strayed)
    if not len(residues):
        return ""
    where = f"residue {trace.labels[residues[0]]}"
    if len(residues) > 1:
        where = f"{len(residues)} residues from {trace.labels[residues[0]]} on"
    return f"{where}: the bead of the side chain is too far from the Cα, and not used"
