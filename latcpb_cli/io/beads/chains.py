"""Where chains begin and end."""

from __future__ import annotations

import numpy as np

from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.structure import CGTrace

__all__ = ["CHAIN_GAP", "build_trace"]

CHAIN_GAP = 8.0
"""Distance (Å) between beads of following numbers that starts a new chain.

Above the 4.5 Å of a break, because a bead model may stretch a bond past 4.5 Å
in one frame, and a chain that is cut in two stays cut in all frames; and above
the 7 Å of beads at centres of mass, so that those are told apart from Cα.
"""
_REACH = 3.9
"""What each residue adds to the reach of a missing loop (Å)."""


def build_trace(
    beads: AtomTable,
    sequence: str,
    gaps: np.ndarray,
    record: np.ndarray | None = None,
    variants: np.ndarray | None = None,
) -> tuple[CGTrace, list[str]]:
    """Split beads into chains and name their residues.

    A chain ends where the chain identifier changes, where the file or the user
    marks an end (TER, segment, entity, molecule, FASTA record), where the
    residue number falls, and where the next bead is farther away than the
    residues between the two numbers can reach.

    Parameters
    ----------
    beads : AtomTable
        L rows.
    sequence : str
        L letters.
    gaps : numpy.ndarray, shape (L-1,)
        Distance (Å, minimum image) from each bead to the next; nan where it
        is not known.
    record : numpy.ndarray of int64, shape (L,), optional
        Number of the chain that the user gave for each bead.
    variants : numpy.ndarray of str, shape (L,), optional
        Which residues are modified, see `CGTrace`.

    Returns
    -------
    trace : CGTrace
    notes : list of str
        What had to be decided for the user, one line each.
    """
    notes: list[str] = []
    steps = beads.resids[1:] - beads.resids[:-1]
    starts = (beads.chain_ids[1:] != beads.chain_ids[:-1]) | (beads.parts[1:] != beads.parts[:-1])
    starts |= steps < 0
    if record is not None and record[-1:].any():
        starts = record[1:] != record[:-1]
    else:
        far = (gaps > np.maximum(CHAIN_GAP, _REACH * steps)) & ~starts
        starts |= far
        if far.any():
            ends = "gap" if far.sum() == 1 else f"{far.sum()} gaps"
            notes.append(f"{starts.sum() + 1} chains told apart by {ends} that no missing loop can bridge")
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


def _unique_resids(beads: AtomTable, chain_index: np.ndarray, notes: list[str]) -> np.ndarray:
    """Residue numbers; a chain in which one repeats is numbered from 1."""
    resids = beads.resids.copy()
    same = (chain_index[1:] == chain_index[:-1]) & (resids[1:] == resids[:-1])
    same &= beads.icodes[1:] == beads.icodes[:-1]
    changed = np.unique(chain_index[1:][same])
    for chain in changed:
        members = chain_index == chain
        resids[members] = np.arange(1, members.sum() + 1)
    if len(changed) == 1:
        notes.append(f"residues of chain {changed[0] + 1} numbered from 1: their numbers repeat")
    elif len(changed):
        notes.append(f"residues of {len(changed)} chains numbered from 1: their numbers repeat")
    return resids
