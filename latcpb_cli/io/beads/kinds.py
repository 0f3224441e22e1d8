"""Which beads are Cα, and which are centres of mass of residues."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from latcpb_cli.chem.residues import NAMES
from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.chains import list_some
from latcpb_cli.io.beads.spacing import Spacing, measure_spacing
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.structure import CGTrace

__all__ = ["Kinds", "ca_spacing", "find_com_chains", "find_kinds", "with_com"]

_DISTANCE_TO_CA = np.array(
    [0.73, 2.55, 1.05, 1.10, 0.98, 1.55, 1.62, 0.95, 1.69, 0.91, 0.99, 1.73, 1.56, 1.90, 0.78, 0.72, 0.74,
     2.48, 2.32, 0.70]
)  # fmt: skip
"""Mean distance (Å) of the centre of mass from the Cα of each residue type, in held-out training chains."""
_MIN_BONDS = 30
"""Bonds of a chain whose beads can be recognised."""
_MEDIAN, _RELATIVE_STD, _MIN_CORRELATION = (3.7, 5.2), (0.12, 0.25), 0.5
"""Distances of neighbours at centres of mass: median (Å), standard deviation over mean, and correlation with
the sizes of the two residues. Chains held out of training have 3.9 to 5.0, 0.15 to 0.21, and 0.53 or more; Cα
and Cβ correlate by less than 0.4, and centres of side chains are 5.4 Å or more apart."""
_CA_CA, _CA_WIDTH, _MAX_RUN, _MAX_END_RUN = 3.8, 0.35, 5, 2
"""Most bonds in a row that may be of the length of a Cα bond (Å), and most of them at a chain end: more could
be a linker or tail of Cα. One held-out chain in five has more, and is not recognised."""
_MIN_CHECKED, _MAX_GIVEN_RUN, _MAX_MEDIAN = 12, 9, 5.4
"""Beads that are given as centres of mass, with so many bonds in a chain, are refused where more of these in
a row are like those of Cα (at most 8 in held-out chains), or where their median (Å) is larger."""


@dataclass(frozen=True, eq=False)
class Kinds:
    """What L beads are.

    Attributes
    ----------
    is_com : numpy.ndarray of bool, shape (L,)
        Beads that are centres of mass of their residues; the others are Cα.
    notes, warnings : tuple of str
    """

    is_com: Bool[np.ndarray, "L"]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def find_kinds(
    path: Path, trace: CGTrace, distances: Float64[np.ndarray, "steps"], options: ReadOptions
) -> Kinds:
    """Find out which beads are centres of mass: those that the user names, else chains beyond doubt.

    Parameters
    ----------
    path : pathlib.Path
        For messages.
    trace : CGTrace
    distances : numpy.ndarray, shape (L-1,)
        Distance (Å) from each bead to the next.
    options : ReadOptions

    Raises
    ------
    InputError
        A range holds no residue, or the beads cannot be what the user says.
    """
    given = _given(path, trace, options)
    if given is None:
        is_com = find_com_chains(trace, distances, measure_spacing(trace, distances))
        if not is_com.any():
            return Kinds(is_com)
        if options.cyclic:
            raise InputError(f"{path}: --cyclic needs Cα beads; these are centres of mass", "leave it out")
        chains = np.unique(trace.chain_index[is_com])
        ends = [np.flatnonzero(trace.chain_index == chain)[[0, -1]].tolist() for chain in chains]
        listed = list_some([f"{trace.label(first)} to {trace.label(last)}" for first, last in ends])
        note = f"beads at centres of mass of residues: {listed}; --beads ca takes them for Cα"
        return Kinds(is_com, (note,))
    problem = _find_contradiction(trace, distances, given)
    if problem and not options.force:
        raise InputError(f"{path}: {problem}", "check --beads and --com-residues, or accept it with --force")
    notes = (f"beads at centres of mass of residues: {given.sum()} of {len(given)}",) if given.any() else ()
    return Kinds(given, notes, (problem,) if problem else ())


def _given(path: Path, trace: CGTrace, options: ReadOptions) -> Bool[np.ndarray, "L"] | None:
    """Return which beads the user declares to be centres of mass; None where the user does not say."""
    if options.beads == "ca":
        return np.zeros(len(trace), dtype=bool)
    if options.beads == "com":
        return np.ones(len(trace), dtype=bool)
    if not options.com_ranges:
        return None
    is_com = np.zeros(len(trace), dtype=bool)
    for part in options.com_ranges:
        inside = part.contains(trace.chain_ids, trace.resids)
        if not inside.any():
            chains = ", ".join(sorted({str(chain) or "(blank)" for chain in trace.chain_ids})[:8])
            raise InputError(
                f"{path}: --com-residues {part}: no such residues",
                f"latcpb inspect lists chains and numbers; there are chains {chains}",
            )
        is_com |= inside
    return is_com


def find_com_chains(
    trace: CGTrace, distances: Float[np.ndarray, "steps"], spacing: Spacing
) -> Bool[np.ndarray, "L"]:
    """Find the chains all of whose beads are centres of mass, beyond doubt.

    Parameters
    ----------
    trace : CGTrace
    distances : numpy.ndarray, shape (L-1,)
        Distance (Å) from each bead to the next.
    spacing : Spacing
        Measured on all beads as if they were Cα.
    """
    is_com = np.zeros(len(trace), dtype=bool)
    size = _DISTANCE_TO_CA[trace.residue_types]
    for chain in {int(trace.chain_index[region.first]) for region in spacing.regions}:
        rows = np.flatnonzero(trace.chain_index == chain)
        steps = rows[:-1][np.diff(trace.resids[rows]) <= 1]
        steps = steps[np.isfinite(distances[steps])]
        if len(steps) < _MIN_BONDS:
            continue
        bonds, sizes = distances[steps], size[steps] + size[steps + 1]
        is_broad = _within(np.median(bonds), _MEDIAN) and _within(bonds.std() / bonds.mean(), _RELATIVE_STD)
        if is_broad and not _has_ca_stretch(bonds):
            is_com[rows] = sizes.std() > 0 and np.corrcoef(bonds, sizes)[0, 1] >= _MIN_CORRELATION
    return is_com


def _has_ca_stretch(bonds: Float[np.ndarray, "bonds"]) -> bool:
    """Whether some of the bonds (Å) of a chain in a row could be those of Cα."""
    starts, runs = _ca_runs(bonds)
    at_end = (starts == 0) | (starts + runs == len(bonds))
    return bool((runs > np.where(at_end, _MAX_END_RUN, _MAX_RUN)).any())


def _ca_runs(
    bonds: Float[np.ndarray, "bonds"],
) -> tuple[Int64[np.ndarray, "runs"], Int64[np.ndarray, "runs"]]:
    """Start and length of the runs of bonds (Å) that could be those of Cα."""
    edges = np.flatnonzero(np.diff(np.r_[False, np.abs(bonds - _CA_CA) < _CA_WIDTH, False]))
    return edges[::2], edges[1::2] - edges[::2]


def with_com(path: Path, trace: CGTrace, is_com: Bool[np.ndarray, "L"]) -> CGTrace:
    """Return a trace in which some beads are centres of mass.

    Raises
    ------
    InputError
        Modified residues are among them, whose atoms such a bead does not have in its mean.
    """
    if not is_com.any():
        return trace
    modified = np.flatnonzero(is_com & (trace.residue_kinds >= len(NAMES)))
    if len(modified):
        raise InputError(
            f"{path}: {trace.label(int(modified[0]))}: no centres of mass of modified residues",
            "give the ranges of the other residues with --com-residues, or rename the residue",
        )
    return replace(trace, com_beads=is_com)


def _find_contradiction(
    trace: CGTrace, distances: Float64[np.ndarray, "steps"], is_com: Bool[np.ndarray, "L"]
) -> str:
    """Describe why some beads cannot be centres of mass; "" where they can."""
    both = is_com[1:] & is_com[:-1] & trace.same_chain_as_next()[:-1] & (np.diff(trace.resids) <= 1)
    for chain in np.unique(trace.chain_index[is_com]):
        steps = np.flatnonzero(both & (trace.chain_index[:-1] == chain) & np.isfinite(distances))
        if len(steps) < _MIN_CHECKED:
            continue
        bonds = distances[steps]
        starts, runs = _ca_runs(bonds)
        if runs.max(initial=0) > _MAX_GIVEN_RUN:
            first = trace.label(int(steps[starts[np.argmax(runs)]]))
            return f"beads from {first} on have the spacing of Cα, not of centres of mass"
        if np.median(bonds) > _MAX_MEDIAN:
            first, median = trace.label(int(steps[0])), np.median(bonds)
            return (
                f"beads from {first} on are {median:.1f} Å apart, too far for centres of mass (about 4.5 Å)"
            )
    return ""


def ca_spacing(trace: CGTrace, distances: Float64[np.ndarray, "steps"]) -> Spacing:
    """Measure the spacing of beads that are Cα; distances from and to centres of mass are left out."""
    if trace.com_beads is None:
        return measure_spacing(trace, distances)
    with_center = trace.com_beads[1:] | trace.com_beads[:-1]
    return measure_spacing(trace, np.where(with_center, np.nan, distances))


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]
