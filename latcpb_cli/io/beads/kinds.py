"""Which beads are Cα, and which are centres of mass of residues."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from latcpb_cli.chem.residues import NAMES
from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.kind_recognition import describe_com, recognize_com
from latcpb_cli.io.beads.named_residues import named_residues
from latcpb_cli.io.beads.spacing import Spacing, measure_spacing
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.structure import CGTrace

__all__ = ["Kinds", "ca_spacing", "find_kinds", "with_com"]

_CA_CA, _CA_WIDTH = 3.8, 0.35
"""Distances of Cα, and of centres of mass that may be Cα (Å)."""
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
    """Find out which beads are centres of mass: those that the user names, else stretches beyond doubt.

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
        return _recognize(path, trace, distances, options)
    problem = _find_contradiction(trace, distances, given)
    if problem and not options.force:
        raise InputError(f"{path}: {problem}", "check --beads and --com-residues, or accept it with --force")
    notes = (f"beads at centres of mass of residues: {given.sum()} of {len(given)}",) if given.any() else ()
    return Kinds(given, notes, (problem,) if problem else ())


def _recognize(
    path: Path, trace: CGTrace, distances: Float64[np.ndarray, "steps"], options: ReadOptions
) -> Kinds:
    """Recognise centres of mass; all beads are Cα where there are none, and under ``force`` in doubt."""
    spacing = measure_spacing(trace, distances)
    found = recognize_com(trace, distances, spacing)
    ca = np.zeros(len(trace), dtype=bool)
    if not found.is_com.any() or (options.force and not found.certain):
        return Kinds(ca)
    ranges = describe_com(trace, found.is_com)
    share = f"{int(100.0 * found.sure)} % of the residues beyond doubt"
    if not found.certain:
        raise InputError(
            f"{path}: beads do not have the spacing of Cα in {spacing.describe_regions(trace)}: some may be "
            "centres of mass of residues, but which is not certain",
            f"name these with --com-residues; perhaps {ranges}, {share}",
        )
    if options.cyclic:
        raise InputError(f"{path}: --cyclic needs Cα beads; there are centres of mass", "leave it out")
    note = f"beads at centres of mass of residues found: {ranges}, {share}; --beads ca takes all for Cα"
    return Kinds(found.is_com, (note,))


def _given(path: Path, trace: CGTrace, options: ReadOptions) -> Bool[np.ndarray, "L"] | None:
    """Return which beads the user declares to be centres of mass; None where the user does not say."""
    if options.beads == "ca":
        return np.zeros(len(trace), dtype=bool)
    if options.beads == "com":
        return np.ones(len(trace), dtype=bool)
    if not options.com_ranges:
        return None
    return named_residues(trace, options.com_ranges, f"{path}: --com-residues")


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
            f"{path}: {trace.labels[modified[0]]}: no centres of mass of modified residues",
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
            first = trace.labels[steps[starts[np.argmax(runs)]]]
            return f"beads from {first} on have the spacing of Cα, not of centres of mass"
        if np.median(bonds) > _MAX_MEDIAN:
            first, median = trace.labels[steps[0]], np.median(bonds)
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
