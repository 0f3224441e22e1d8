"""Centres of mass are recognised among the beads of an input whose user does not say what they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from latcpb_cli.io.beads.chains import list_some
from latcpb_cli.io.beads.kind_distances import COM_KIND, OTHER_KIND
from latcpb_cli.io.beads.kind_stretches import KindStretches, find_stretches
from latcpb_cli.io.beads.named_residues import named_residues
from latcpb_cli.io.beads.spacing import Spacing
from latcpb_cli.residue_ranges import ResidueRange, parse_ranges
from latcpb_cli.structure import CGTrace

__all__ = ["Recognition", "describe_com", "recognize_com"]

_MIN_EVIDENCE, _MIN_EVIDENCE_PER_BEAD = 12.0, 0.25
"""Log likelihood ratio (nats) to chains without centres of mass, in all and for each of them. Held-out chains
with noise of 0.3 Å have 0.25 to 0.7 for each; wrong residues, Cβ and stretched Cα have less, but for one
chain of Cβ in a hundred."""
_MAX_OTHER, _MIN_SURE = 0.02, 0.8
"""Largest fraction of a chain's beads that are neither, and smallest that the model is sure of."""
_MAX_DOUBTFUL_OTHER, _MIN_DOUBTFUL_EVIDENCE = 0.2, 0.15
"""The same, and evidence for each bead, of chains that may have centres of mass in an unknown place."""
_MAX_STEP = 13.0
"""Å between neighbouring centres of mass; more is a break."""
_MAX_RANGES = 20
"""Ranges that are listed."""


@dataclass(frozen=True, eq=False)
class Recognition:
    """Which of L beads are centres of mass, as far as their distances say.

    Attributes
    ----------
    is_com : numpy.ndarray of bool, shape (L,)
        Beads that are most likely centres of mass.
    certain : bool
        Whether this is beyond doubt.
    sure : float
        Fraction of the residues of chains with centres of mass whose kind the model is sure of.
    """

    is_com: Bool[np.ndarray, "L"]
    certain: bool
    sure: float


def recognize_com(trace: CGTrace, distances: Float[np.ndarray, "steps"], spacing: Spacing) -> Recognition:
    """Find the stretches of beads at centres of mass, in chains without the spacing of Cα.

    Chains of the same residues have the same kinds of beads; the median of their distances counts.

    Parameters
    ----------
    trace : CGTrace
    distances : numpy.ndarray, shape (L-1,)
        Distance (Å) from each bead to the next.
    spacing : Spacing
        Measured on all beads as if they were Cα.
    """
    is_com, certain = np.zeros(len(trace), dtype=bool), True
    sure: list[Bool[np.ndarray, "M"]] = []
    irregular = {int(trace.chain_index[region.first]) for region in spacing.regions}
    for copies in _identical_chains(trace, distances):
        if not irregular.intersection(trace.chain_index[np.concatenate(copies)].tolist()):
            continue
        stretches = find_stretches(
            trace.residue_types[copies[0]], _median_distances(trace, distances, copies)
        )
        if not _may_have_com(stretches):
            continue
        certain = certain and _is_certain(stretches)
        sure.append(np.tile(stretches.sure, len(copies)))
        for rows in copies:
            is_com[rows] = stretches.kinds == COM_KIND
    return Recognition(is_com, certain, float(np.concatenate(sure).mean()) if sure else 1.0)


def describe_com(trace: CGTrace, is_com: Bool[np.ndarray, "L"]) -> str:
    """Describe centres of mass as an option that names them, or by the residues where no ranges do."""
    starts, ends = _runs(trace, is_com)
    numbers = list(
        dict.fromkeys(zip(trace.resids[starts].tolist(), trace.resids[ends].tolist(), strict=True))
    )
    chains = trace.chain_ids[starts].tolist()
    everywhere = [ResidueRange(None, first, last) for first, last in numbers]
    one_by_one = [
        ResidueRange(str(chain), int(trace.resids[start]), int(trace.resids[end]))
        for chain, start, end in zip(chains, starts, ends, strict=True)
    ]
    n_ids = len(np.unique(trace.chain_ids))
    for ranges in (one_by_one, everywhere) if n_ids == 1 else (everywhere, one_by_one):
        text = ",".join(dict.fromkeys(map(str, ranges)))
        if text.count(",") < _MAX_RANGES and _names(trace, text, is_com):
            return f"--com-residues {text}"
    return list_some([f"{trace.labels[a]} to {trace.labels[b]}" for a, b in zip(starts, ends, strict=True)])


def _identical_chains(
    trace: CGTrace, distances: Float[np.ndarray, "steps"]
) -> list[list[Int64[np.ndarray, "M"]]]:
    """Rows of the chains, in groups of the same residues with the same numbers."""
    starts = np.diff(trace.chain_index) > 0
    # Two centres of mass may be farther from each other than the ends of two chains of Cα.
    follows = (trace.chain_ids[1:] == trace.chain_ids[:-1]) & (np.diff(trace.resids) == 1)
    starts &= ~(follows & (distances <= _MAX_STEP))
    bounds = np.flatnonzero(np.r_[True, starts, True])
    groups: dict[tuple[str, bytes], list[Int64[np.ndarray, "M"]]] = {}
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        key = trace.sequence[start:stop], trace.resids[start:stop].tobytes()
        groups.setdefault(key, []).append(np.arange(start, stop))
    return list(groups.values())


def _median_distances(
    trace: CGTrace, distances: Float[np.ndarray, "steps"], copies: list[Int64[np.ndarray, "M"]]
) -> Float[np.ndarray, "steps"]:
    """Distances (Å) of neighbours within a chain, the median over its copies; nan across missing residues."""
    own = np.stack([distances[rows[:-1]] for rows in copies])
    own[:, np.diff(trace.resids[copies[0]]) > 1] = np.nan
    middle = np.sort(own, axis=0)  # nan last
    known = np.isfinite(own).sum(axis=0)
    return np.asarray(np.take_along_axis(middle, np.maximum(known - 1, 0)[None] // 2, axis=0)[0])


def _may_have_com(stretches: KindStretches) -> bool:
    count = int((stretches.kinds == COM_KIND).sum())
    other = (stretches.kinds == OTHER_KIND).mean()
    enough = max(_MIN_EVIDENCE, _MIN_DOUBTFUL_EVIDENCE * count)
    return bool(other <= _MAX_DOUBTFUL_OTHER and stretches.evidence >= enough and count)


def _is_certain(stretches: KindStretches) -> bool:
    count = int((stretches.kinds == COM_KIND).sum())
    other = (stretches.kinds == OTHER_KIND).mean()
    enough = stretches.evidence >= _MIN_EVIDENCE_PER_BEAD * count
    return bool(other <= _MAX_OTHER and enough and stretches.sure.mean() >= _MIN_SURE)


def _runs(
    trace: CGTrace, is_com: Bool[np.ndarray, "L"]
) -> tuple[Int64[np.ndarray, "runs"], Int64[np.ndarray, "runs"]]:
    """First and last rows of the stretches of centres of mass, whose numbers rise."""
    first, last = np.ones(len(is_com), dtype=bool), np.ones(len(is_com), dtype=bool)
    follows = (trace.chain_ids[1:] == trace.chain_ids[:-1]) & (np.diff(trace.resids) > 0)
    first[1:] = last[:-1] = ~(follows & is_com[1:] & is_com[:-1])
    return np.flatnonzero(first & is_com), np.flatnonzero(last & is_com)


def _names(trace: CGTrace, text: str, is_com: Bool[np.ndarray, "L"]) -> bool:
    """Whether ranges hold these residues and no others."""
    named = named_residues(trace, parse_ranges("--com-residues", text), "--com-residues")
    return bool((named == is_com).all())
