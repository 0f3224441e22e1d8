"""All metrics of a generated structure against its reference, in one dictionary."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latcpb_cli.errors import InputError
from latcpb_cli.metrics.accuracy import (
    ATOM_SETS,
    chi_matches,
    cis_kept,
    inner_residues,
    rmsd,
    squared_deviation,
)
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.metrics.count import Count
from latcpb_cli.metrics.diversity import pairwise_rmsd
from latcpb_cli.metrics.graph import bond_graph, graph_distance
from latcpb_cli.metrics.jumps import RotamerJumps
from latcpb_cli.metrics.matching import match_residues
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.metrics.torsions import TORSION_NAMES, divergences, torsion_histograms, torsions
from latcpb_cli.structure import AtomStructure

__all__ = ["REGIONS", "evaluate_pair"]

REGIONS = ("inner", "all")
"""``inner`` leaves out the residues at chain ends and breaks."""
RESIDUES_AT_ONCE = 20_000
_SIDES = ("reference", "generated")
_CHI1 = TORSION_NAMES.index("chi1")

Array = np.ndarray


def evaluate_pair(
    reference: AtomStructure,
    generated: AtomStructure,
    samples: int = 1,
    names: tuple[str, str] = ("reference", "generated"),
) -> dict[str, Any]:
    """Measure generated frames against the reference.

    Parameters
    ----------
    reference : AtomStructure
        F frames.
    generated : AtomStructure
        F x ``samples`` frames, the samples of a frame one after the other.
    samples : int
    names : tuple of str
        What to call the two in messages.

    Returns
    -------
    dict
        ``frames``, ``samples``, ``residues``, ``atoms`` (compared and missing
        on either side); for ``inner`` and ``all`` residues ``rmsd``, ``ged``,
        ``ged_symmetric``, ``chi`` and ``cis_kept``; ``torsions`` (KL and JS);
        ``validity`` of both structures; ``diversity`` where there are two
        or more samples, else None. Lengths in Å, shares in percent, None for
        what cannot be measured. ``chi1_jumps``: χ1 that turn by more than 60°
        from a frame to the next, in both structures.

    Raises
    ------
    InputError
        The residues or the numbers of frames do not match.
    """
    generated = match_residues(reference, generated, names)
    _check_frames(reference, generated, samples, names)
    comparison = _Comparison(reference, generated)
    validity = dict(zip(_SIDES, (_Validity(reference), _Validity(generated)), strict=True))
    step = max(1, RESIDUES_AT_ONCE // (len(reference.trace) * samples))
    for start in range(0, len(reference), step):
        frames = slice(start, start + step)
        sampled = slice(start * samples, (start + step) * samples)
        comparison.add(frames, sampled, samples)
        validity["reference"].add(frames)
        validity["generated"].add(sampled)
    return {
        "frames": len(reference),
        "samples": samples,
        "residues": len(reference.trace),
        "atoms": _atom_counts(reference, generated),
        **comparison.result(),
        "validity": {name: part.result() for name, part in validity.items()},
    }


def _check_frames(
    reference: AtomStructure, generated: AtomStructure, samples: int, names: tuple[str, str]
) -> None:
    expected = len(reference) * samples
    if len(generated) == expected:
        return
    ratio, rest = divmod(len(generated), len(reference))
    hint = "both files must hold the same frames"
    if rest == 0 and ratio > 1:
        hint = f"if these are {ratio} samples of each frame, say --samples {ratio}"
    raise InputError(
        f"{names[0]} has {len(reference)} frames, so {names[1]} should have {expected} "
        f"({samples} per frame); it has {len(generated)}",
        hint,
    )


def _atom_counts(reference: AtomStructure, generated: AtomStructure) -> dict[str, int]:
    return {
        "compared": int((reference.present & generated.present).sum()),
        "missing_in_reference": int((~reference.present & generated.present).sum()),
        "missing_in_generated": int((reference.present & ~generated.present).sum()),
    }


@dataclass(eq=False)
class _Validity:
    """What can be judged without the other structure, summed over frames."""

    structure: AtomStructure
    counts: dict[str, Count] = field(default_factory=dict)
    contact12: list[float] = field(default_factory=list)
    overlap04: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        trace = self.structure.trace
        self.types, self.linked = trace.residue_types, self.structure.linked()
        self.checker = StereoChecker(self.types, self.structure.present, trace.chain_index)

    def add(self, frames: slice) -> None:
        atoms, linked = self.structure.atoms[frames], self.linked[frames]
        for name, count in self.checker.count(atoms, linked).items():
            self.counts[name] = self.counts.get(name, Count(0, 0)).plus(count)
        for clashes in frame_clashes(self.types, atoms, self.structure.present, linked):
            self.contact12.append(clashes.contact12_percent)
            self.overlap04.append(clashes.overlap04_per_1000)

    def result(self) -> dict[str, Any]:
        return {
            "contact12_percent": _mean_max(self.contact12),
            "overlap04_per_1000": _mean_max(self.overlap04),
            **{name: _counted(count) for name, count in self.counts.items()},
        }


@dataclass(eq=False)
class _Comparison:
    """What is measured against the reference, gathered over frames."""

    reference: AtomStructure
    generated: AtomStructure
    values: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[tuple[str, str], Count] = field(default_factory=lambda: defaultdict(lambda: Count(0, 0)))
    histograms: list[dict[str, Array]] = field(default_factory=lambda: [{}, {}])
    jumps: tuple[RotamerJumps, RotamerJumps] = field(default_factory=lambda: (RotamerJumps(), RotamerJumps()))

    def __post_init__(self) -> None:
        self.types = self.reference.trace.residue_types
        self.present = self.reference.present & self.generated.present
        self.linked = self.reference.linked(), self.generated.linked()

    def add(self, frames: slice, sampled: slice, samples: int) -> None:
        """Compare some frames of the reference with all their samples."""
        truth, atoms = self.reference.atoms[frames], self.generated.atoms[sampled]
        linked = self.linked[0][frames], self.linked[1][sampled]
        angles = [
            torsions(self.types, xyz, self.present, joined)
            for xyz, joined in zip((truth, atoms), linked, strict=True)
        ]
        for total, measured in zip(self.histograms, angles, strict=True):
            for name, counts in torsion_histograms(self.types, measured).items():
                total[name] = total.get(name, 0) + counts
        for jumps, measured in zip(self.jumps, angles, strict=True):
            jumps.add(measured[..., _CHI1].reshape(len(truth), -1, len(self.types)))
        inner = inner_residues(linked[0])
        regions = dict(zip(REGIONS, (inner, np.ones_like(inner)), strict=True))
        squares = squared_deviation(self.types, np.repeat(truth, samples, axis=0), atoms, self.present)
        repeated_angles = np.repeat(angles[0], samples, axis=0)
        for region, residues in regions.items():
            repeated = np.repeat(residues, samples, axis=0)
            self._add_accuracy(region, squares, repeated_angles, angles[1], repeated)
        self._add_graphs(truth, atoms, regions, samples)
        if samples > 1:
            self._add_diversity(atoms.reshape(len(truth), samples, *atoms.shape[1:]), inner)

    def _add_accuracy(
        self, region: str, squares: Array, truth: Array, measured: Array, residues: Array
    ) -> None:
        for name, slots in ATOM_SETS.items():
            self.values[region, name] += rmsd(squares, self.present, residues, slots).tolist()
        matches = chi_matches(self.types, truth, measured, residues)
        for name, count in {**matches, "cis_kept": cis_kept(truth, measured, residues)}.items():
            self.counts[region, name] = self.counts[region, name].plus(count)

    def _add_graphs(self, truth: Array, atoms: Array, regions: dict[str, Array], samples: int) -> None:
        for f, frame in enumerate(truth):
            expected = bond_graph(self.types, frame, self.present)
            for sample in atoms[f * samples : (f + 1) * samples]:
                found = bond_graph(self.types, sample, self.present)
                for region, residues in regions.items():
                    distance = graph_distance(expected, found, self.present & residues[f, :, None])
                    if distance is not None:
                        self.values[region, "ged"].append(distance.edges)
                        self.values[region, "ged_symmetric"].append(distance.symmetric)

    def _add_diversity(self, atoms: Array, inner: Array) -> None:
        for frame, residues in zip(atoms, inner, strict=True):
            for name in ("side_chain", "all_heavy"):
                value = pairwise_rmsd(self.types, frame, self.present, residues, ATOM_SETS[name])
                self.values["pairwise", name].append(value)

    def result(self) -> dict[str, Any]:
        regions = {region: self._region(region) for region in REGIONS}
        pairwise = {name: _mean(self.values["pairwise", name]) for name in ("side_chain", "all_heavy")}
        error = regions["inner"]["rmsd"]["all_heavy"]
        diversity = None
        if pairwise["all_heavy"] is not None:
            div = 1.0 - pairwise["all_heavy"] / error if error else None
            diversity = {"pairwise_side_chain_rmsd": pairwise["side_chain"], "div": div}
        jumps = {name: _counted(part.count) for name, part in zip(_SIDES, self.jumps, strict=True)}
        torsional = {"torsions": divergences(*self.histograms), "chi1_jumps": jumps}
        return {**regions, **torsional, "diversity": diversity}

    def _region(self, region: str) -> dict[str, Any]:
        return {
            "rmsd": {name: _mean(self.values[region, name]) for name in ATOM_SETS},
            "ged": _mean(self.values[region, "ged"]),
            "ged_symmetric": _mean(self.values[region, "ged_symmetric"]),
            "chi": {name: _counted(self.counts[region, name]) for name in ("chi1", "chi1_chi2")},
            "cis_kept": _counted(self.counts[region, "cis_kept"]),
        }


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else None


def _mean_max(values: list[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "max": float(np.max(values))}


def _counted(count: Count) -> dict[str, float | int | None]:
    return {"count": count.hits, "of": count.total, "percent": count.percent}
