"""Beads are split into chains."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int64, Shaped

from latcpb_cli.chem.residue_names import is_modified
from latcpb_cli.choices import ChainEnds
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.structure import BREAK_CUTOFF, CGTrace

__all__ = ["CHAIN_GAP", "build_trace", "describe_bead", "is_bond", "list_some", "number_falls", "reach"]

CHAIN_GAP = 8.0
"""Distance (Å) between beads of following numbers that starts a new chain.

It is above the 4.5 Å of a break, because a bead model may stretch a bond past
4.5 Å in one frame, and a chain that is split stays split in all frames; and
above the 7 Å between centres of mass of residues, so that such beads form
chains, which `latcpb_cli.io.beads.spacing` then distinguishes from Cα.
"""
_REACH_PER_RESIDUE = 3.9
"""Length (Å) that each residue adds to the reach of a missing loop."""
_MIN_BOND = 2.5
"""Two Cα nearer than this (Å) belong to models on top of each other; a cis peptide has 2.9 Å."""
_MAX_LISTED = 4


def is_bond(distances: Float[np.ndarray, "N"]) -> Bool[np.ndarray, "N"]:
    """Return which distances (Å) between two Cα a peptide can bridge; nan is none."""
    with np.errstate(invalid="ignore"):
        return np.asarray((distances >= _MIN_BOND) & (distances <= BREAK_CUTOFF))


def reach(steps: Int64[np.ndarray, "N"]) -> Float[np.ndarray, "N"]:
    """Return the largest distance (Å) of two residues of a chain whose numbers differ by ``steps``."""
    return np.asarray(np.maximum(CHAIN_GAP, _REACH_PER_RESIDUE * steps))


def number_falls(beads: AtomTable) -> Bool[np.ndarray, "steps"]:
    """Mark where the residue number is lower than that of the bead before: shape (L-1,)."""
    return np.asarray(beads.resids[1:] < beads.resids[:-1])


def describe_bead(beads: AtomTable, row: int) -> str:
    """Return the chain, name and number of a bead as the file has them, for instance ``A:MSE25``."""
    chain = str(beads.chain_ids[row])
    return f"{chain + ':' if chain else ''}{beads.resnames[row]}{beads.resids[row]}{beads.icodes[row]}"


def build_trace(
    beads: AtomTable,
    sequence: str,
    distances: Float[np.ndarray, "steps"],
    record_index: Int64[np.ndarray, "L"] | None = None,
    variants: Shaped[np.ndarray, "L"] | None = None,
    chain_ends: ChainEnds = "geometry",
) -> tuple[CGTrace, list[str]]:
    """Split beads into chains and name their residues.

    A chain ends where the chain identifier changes, where the file or the user
    marks an end (TER, segment, entity, molecule, FASTA record), where the
    residue number decreases, and where the next bead is farther away than the
    residues between the two numbers can reach. Two Cα at bonding distance
    remain in one chain although the number decreases, unless residues without
    a chain identifier have numbers that repeat, and although the file marks an
    end, if one of the two is a modified residue and their numbers follow each
    other.

    Parameters
    ----------
    beads : AtomTable
        L rows.
    sequence : str
        L letters.
    distances : numpy.ndarray, shape (L-1,)
        Distance (Å, minimum image) from each bead to the next; nan where it
        is not known.
    record_index : numpy.ndarray of int64, shape (L,), optional
        Number of the user's sequence that each bead belongs to. Where there
        are several, they alone decide on the chains.
    variants : numpy.ndarray of str, shape (L,), optional
        Names of modified or protonated residues, "" for others, see `CGTrace`.
    chain_ends : {'geometry', 'labels'}
        Whether distances matter at all.

    Returns
    -------
    trace : CGTrace
    notes : list of str
        Decisions that the user should know about, one line each.
    """
    notes: list[str] = []
    if record_index is not None and record_index[-1:].any():
        starts = record_index[1:] != record_index[:-1]
    elif chain_ends == "labels":
        starts = beads.chain_changes() | number_falls(beads)
    else:
        starts = _starts_by_geometry(beads, distances, notes)
    chain_index = np.r_[0, np.cumsum(starts)].astype(np.int64)
    resids = _unique_resids(beads, chain_index, notes)
    trace = CGTrace(
        sequence=sequence,
        chain_ids=beads.chain_ids,
        chain_index=chain_index,
        resids=resids,
        icodes=beads.icodes,
        variants=variants if variants is not None and (variants != "").any() else None,
    )
    return trace, notes


def _starts_by_geometry(
    beads: AtomTable, distances: Float[np.ndarray, "steps"], notes: list[str]
) -> Bool[np.ndarray, "steps"]:
    """Mark the steps that lead into another chain; add notes on those that distances decide."""
    falls, marked = number_falls(beads), beads.chain_changes()
    joined = _joined(beads, is_bond(distances), falls, marked)
    starts = (marked | falls) & ~joined
    if joined.any():
        notes.append(f"one chain across {_list_steps(beads, joined)}: Cα at bonding distance")
    kept = starts & is_bond(distances) & (beads.chain_ids[1:] == beads.chain_ids[:-1])
    if kept.any():
        notes.append(f"chains end between {_list_steps(beads, kept)}, although Cα are at bonding distance")
    steps = beads.resids[1:] - beads.resids[:-1]
    far = (distances > reach(steps)) & ~starts
    starts |= far
    if far.any():
        ends = "gap" if far.sum() == 1 else f"{far.sum()} distances"
        notes.append(f"{starts.sum() + 1} chains separated by {ends} that no missing loop can bridge")
    return np.asarray(starts)


def _joined(
    beads: AtomTable,
    bonded: Bool[np.ndarray, "steps"],
    falls: Bool[np.ndarray, "steps"],
    marked: Bool[np.ndarray, "steps"],
) -> Bool[np.ndarray, "steps"]:
    """Mark chain ends of the labels that bonded Cα contradict."""
    joined = bonded & falls & ~marked
    for step in np.flatnonzero(joined & (beads.chain_ids[1:] == "")).tolist():
        joined[step] = not _restarts(beads, falls | marked, step)
    same_id = (beads.chain_ids[1:] == beads.chain_ids[:-1]) & (beads.chain_ids[1:] != "")
    follows = beads.resids[1:] - beads.resids[:-1] == 1
    for step in np.flatnonzero(bonded & marked & same_id & follows).tolist():
        joined[step] = is_modified(str(beads.resnames[step])) or is_modified(str(beads.resnames[step + 1]))
    return np.asarray(joined)


def _restarts(beads: AtomTable, ends: Bool[np.ndarray, "steps"], step: int) -> bool:
    """Whether the stretch after a step has a residue number of the stretch before it."""
    others = np.flatnonzero(ends)
    before, after = others[others < step], others[others > step]
    first = int(before[-1]) + 1 if len(before) else 0
    stop = int(after[0]) + 1 if len(after) else len(beads)
    return bool(np.isin(beads.resids[step + 1 : stop], beads.resids[first : step + 1]).any())


def _unique_resids(
    beads: AtomTable, chain_index: Int64[np.ndarray, "L"], notes: list[str]
) -> Int64[np.ndarray, "L"]:
    """Return residue numbers; a chain in which one repeats is numbered from 1, with a note."""
    resids = beads.resids.copy()
    order = np.lexsort((beads.icodes, beads.resids, chain_index))
    before, after = order[:-1], order[1:]
    same = chain_index[after] == chain_index[before]
    for column in (beads.resids, beads.icodes):
        same &= column[after] == column[before]
    changed = np.unique(chain_index[after][same])
    for chain in changed:
        members = chain_index == chain
        resids[members] = np.arange(1, members.sum() + 1)
    if len(changed) == 1:
        notes.append(f"residues of chain {changed[0] + 1} numbered from 1: their numbers repeat")
    elif len(changed):
        notes.append(f"residues of {len(changed)} chains numbered from 1: their numbers repeat")
    return resids


def _list_steps(beads: AtomTable, steps: Bool[np.ndarray, "steps"]) -> str:
    return list_some(
        [
            f"{describe_bead(beads, step)} and {describe_bead(beads, step + 1)}"
            for step in np.flatnonzero(steps).tolist()
        ]
    )


def list_some(texts: list[str]) -> str:
    """Join the first few texts by commas, and count the others."""
    more = len(texts) - _MAX_LISTED
    return ", ".join(texts[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
