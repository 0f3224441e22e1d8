"""Beads are split into chains."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64, Shaped

from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.structure import CGTrace

__all__ = ["CHAIN_GAP", "build_trace"]

CHAIN_GAP = 8.0
"""Distance (Å) between beads of following numbers that starts a new chain.

It is above the 4.5 Å of a break, because a bead model may stretch a bond past
4.5 Å in one frame, and a chain that is split stays split in all frames; and
above the 7 Å between centres of mass of residues, so that such beads form
chains, which `latcpb_cli.io.beads.spacing` then distinguishes from Cα.
"""
_REACH_PER_RESIDUE = 3.9
"""Length (Å) that each residue adds to the reach of a missing loop."""


def build_trace(
    beads: AtomTable,
    sequence: str,
    distances: Float[np.ndarray, "steps"],
    record_index: Int64[np.ndarray, "L"] | None = None,
    variants: Shaped[np.ndarray, "L"] | None = None,
) -> tuple[CGTrace, list[str]]:
    """Split beads into chains and name their residues.

    A chain ends where the chain identifier changes, where the file or the user
    marks an end (TER, segment, entity, molecule, FASTA record), where the
    residue number decreases, and where the next bead is farther away than the
    residues between the two numbers can reach.

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

    Returns
    -------
    trace : CGTrace
    notes : list of str
        Decisions that the user should know about, one line each.
    """
    notes: list[str] = []
    steps = beads.resids[1:] - beads.resids[:-1]
    starts = beads.chain_changes() | (steps < 0)
    if record_index is not None and record_index[-1:].any():
        starts = record_index[1:] != record_index[:-1]
    else:
        far = (distances > np.maximum(CHAIN_GAP, _REACH_PER_RESIDUE * steps)) & ~starts
        starts |= far
        if far.any():
            ends = "gap" if far.sum() == 1 else f"{far.sum()} distances"
            notes.append(f"{starts.sum() + 1} chains separated by {ends} that no missing loop can bridge")
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


def _unique_resids(
    beads: AtomTable, chain_index: Int64[np.ndarray, "L"], notes: list[str]
) -> Int64[np.ndarray, "L"]:
    """Return residue numbers; a chain in which one repeats is numbered from 1, with a note."""
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
