"""Head-to-tail cyclic peptides: chains whose first and last Cα are at bonding distance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float64

from latcpb_cli.chem.residues import C_SLOT, N_SLOT, OXT_SLOT
from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.chains import is_bond, list_some
from latcpb_cli.io.beads.sampled import SampledFrames
from latcpb_cli.structure import BREAK_CUTOFF, CGTrace

__all__ = ["close_rings", "find_cyclic_chains", "note_rings"]

_MIN_RING = 4
"""Residues of the smallest cyclic peptide: those of fewer have peptides that are not as in proteins."""
_MAX_PEPTIDE_BOND = 1.8
"""Å between C and N; more is no bond (`latcpb_cli.metrics.graph` has 1.3 times the sum of the radii)."""


def note_rings(trace: CGTrace, samples: SampledFrames) -> list[str]:
    """Note the chains whose ends are bonded, which are built open without ``--cyclic``: at most one line."""
    rings = _find_rings(_end_distances(trace, samples))
    if not rings:
        return []
    return [
        f"head-to-tail ring? {_list_ends(trace, rings)} are at bonding distance at the two ends of a chain, "
        "which is built open, with a free N and OXT; --cyclic closes it"
    ]


def close_rings(path: Path, trace: CGTrace, samples: SampledFrames) -> tuple[CGTrace, str]:
    """Close every chain whose ends are at bonding distance.

    Parameters
    ----------
    path : pathlib.Path
        Named in the message.
    trace : CGTrace
    samples : SampledFrames
        The median over these frames decides.

    Returns
    -------
    trace : CGTrace
        With ``cyclic_chains``.
    note : str
        Which chains are closed.

    Raises
    ------
    InputError
        There is no such chain.
    """
    distances = _end_distances(trace, samples)
    rings = _find_rings(distances)
    if not rings:
        raise InputError(
            f"{path}: --cyclic: no chain has its ends at bonding distance{_nearest(trace, distances)}; a "
            f"peptide spans at most {BREAK_CUTOFF} Å between Cα",
            "leave out --cyclic, or check where chains end with: latcpb inspect",
        )
    closed = replace(trace, cyclic_chains=rings)
    return closed, f"closed head to tail: peptides join {_list_ends(trace, rings)}"


def _end_distances(trace: CGTrace, samples: SampledFrames) -> Float64[np.ndarray, "chains"]:
    """Distance (Å, median over frames) between the ends of each chain of enough residues; else nan."""
    ends = np.flatnonzero(~trace.same_chain_as_next())
    starts = np.r_[0, ends[:-1] + 1]
    return np.where(ends - starts + 1 >= _MIN_RING, samples.distances(ends, starts), np.nan)


def _find_rings(distances: Float64[np.ndarray, "chains"]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(is_bond(distances)).tolist())


def _list_ends(trace: CGTrace, rings: tuple[int, ...]) -> str:
    ends = replace(trace, cyclic_chains=rings).rings
    return list_some([f"{trace.labels[first]} and {trace.labels[last]}" for first, last in ends])


def _nearest(trace: CGTrace, distances: Float64[np.ndarray, "chains"]) -> str:
    if not np.isfinite(distances).any():
        return ""
    chain = int(np.nanargmin(distances))
    return f" (nearest: {_list_ends(trace, (chain,))}, {distances[chain]:.1f} Å)"


def find_cyclic_chains(
    trace: CGTrace, atoms: Float[np.ndarray, "L W 3"], present: Bool[np.ndarray, "L W"]
) -> tuple[int, ...]:
    """Find the chains whose last C and first N are bonded, from their atoms (Å)."""
    ends = np.flatnonzero(~trace.same_chain_as_next())
    starts = np.r_[0, ends[:-1] + 1]
    bond = atoms[ends, C_SLOT].astype(np.float64) - atoms[starts, N_SLOT]
    complete = present[ends, C_SLOT] & present[starts, N_SLOT] & ~present[ends, OXT_SLOT] & (ends > starts)
    return tuple(np.flatnonzero(complete & ((bond**2).sum(-1) < _MAX_PEPTIDE_BOND**2)).tolist())
