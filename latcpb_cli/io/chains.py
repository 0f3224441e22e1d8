"""Where chains begin and end (layer 2)."""

from __future__ import annotations

import numpy as np

from latcpb_cli.io.atoms import AtomTable
from latcpb_cli.structure import CGTrace

__all__ = ["CHAIN_GAP", "build_trace"]

CHAIN_GAP = 6.0
"""Cα-Cα distance (Å) that starts a new chain in files with no other sign.

Above the 4.5 Å of a break, because a bead model may stretch a bond past 4.5 Å
in one frame, and a chain that is cut in two stays cut in all frames.
"""


def build_trace(beads: AtomTable, sequence: str, gaps: np.ndarray) -> tuple[CGTrace, list[str]]:
    """Split beads into chains and name their residues.

    A chain ends where the chain identifier changes, where the file marks an
    end (TER, segment, entity), or where the residue number falls. Only where
    the file has none of these do long gaps between consecutive beads count.

    Parameters
    ----------
    beads : AtomTable
        L rows.
    sequence : str
        L letters.
    gaps : numpy.ndarray, shape (L-1,)
        Distance (Å, minimum image) from each bead to the next, first frame.

    Returns
    -------
    trace : CGTrace
    notes : list of str
        What had to be decided for the user, one line each.
    """
    notes: list[str] = []
    marked = (beads.chain_ids[1:] != beads.chain_ids[:-1]) | (beads.parts[1:] != beads.parts[:-1])
    starts = marked | (beads.resids[1:] < beads.resids[:-1])
    nameless = not np.any(beads.chain_ids != "")
    if nameless and not starts.any():
        # A gap in the numbering across a gap in space is a missing loop.
        counted_on = beads.resids[1:] - beads.resids[:-1] <= 1
        starts = counted_on & (gaps > CHAIN_GAP)
        if starts.any():
            notes.append(f"{starts.sum() + 1} chains told apart by gaps above {CHAIN_GAP:g} Å only")
    chain_index = np.r_[0, np.cumsum(starts)].astype(np.int64)
    resids = _unique_resids(beads, chain_index, notes)
    trace = CGTrace(
        sequence=sequence,
        chain_ids=beads.chain_ids,
        chain_index=chain_index,
        resids=resids,
        icodes=beads.icodes,
    )
    return trace, notes


def _unique_resids(beads: AtomTable, chain_index: np.ndarray, notes: list[str]) -> np.ndarray:
    """Residue numbers; a chain in which one repeats is numbered from 1."""
    resids = beads.resids.copy()
    same = (chain_index[1:] == chain_index[:-1]) & (resids[1:] == resids[:-1])
    same &= beads.icodes[1:] == beads.icodes[:-1]
    for chain in np.unique(chain_index[1:][same]):
        members = chain_index == chain
        resids[members] = np.arange(1, members.sum() + 1)
        notes.append(f"residues of chain {chain + 1} numbered from 1: their numbers repeat")
    return resids
