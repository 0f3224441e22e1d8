"""All metrics of a generated structure and its reference in one dictionary."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

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
from latcpb_cli.metrics.torsions import TORSION_NAMES, divergences, measure_torsions, torsion_histograms
from latcpb_cli.structure import AtomStructure

__all__ = ["REGIONS", "evaluate_pair"]

REGIONS = ("inner", "all")
"""Sets of residues; ``inner`` leaves out those at chain ends and breaks."""
RESIDUES_AT_ONCE = 20_000
"""Residues of all frames and samples that are measured at once, to bound memory."""
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
        Samples per frame.
    names : tuple of str
        Names of the two structures in messages.

    Returns
    -------
    dict
        ``frames``, ``samples``, ``residues``, ``atoms`` (compared and missing
        on either side); for ``inner`` and ``all`` residues ``rmsd``, ``ged``,
        ``ged_symmetric``, ``chi`` and ``cis_kept``; ``torsions`` (KL and JS);
        ``validity`` of both structures; ``diversity`` where there are two or
        more samples, else None; ``chi1_jumps``, χ1 that turn by more than 60°
        from a frame to the next, of both structures. Lengths are in Å,
        fractions in percent; None stands for what cannot be measured.

    Raises
    ------
    InputError
        The residues or the numbers of frames do not match.
    """
    generated = match_residues(reference, generated, names)
    _check_frames(reference, generated, samples, names)
    comparison = _Comparison(reference, generated)
    validity = dict(zip(_SIDES, (_Validity(reference), _Validity(generated)), strict=True))
    n_frames = max(1, RESIDUES_AT_ONCE // (len(reference.trace) * samples))
    for start in range(0, len(reference), n_frames):
        frames = slice(start, start + n_frames)
        sampled = slice(start * samples, (start + n_frames) * samples)
        comparison.add(frames, sampled, samples)
        validity["reference"].add(frames)
        validity["generated"].add(sampled)
    return {
        "frames": len(reference),
        "samples": samples,
        "residues": len(reference.trace),
        "atoms": _atom_counts(reference, generated),
        **comparison.result(),
        "validity": {name: measures.result() for name, measures in validity.items()},
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
        hint = f"if these are {ratio} samples of each frame, use --samples {ratio}"
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
    """Measures of one structure that need no other, summed over frames."""

    structure: AtomStructure
    counts: dict[str, Count] = field(default_factory=dict)
    contact12: list[float] = field(default_factory=list)
    overlap04: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        trace = self.structure.trace
        self.types, self.linked = trace.residue_types, self.structure.linked()
        self.checker = StereoChecker(self.types, self.structure.present, trace.chain_index)

    def add(self, frames: slice) -> None:
        """Add some frames."""
        atoms, linked = self.structure.atoms[frames], self.linked[frames]
        for name, count in self.checker.count(atoms, linked).items():
            self.counts[name] = self.counts.get(name, Count(0, 0)).plus(count)
        for clashes in frame_clashes(self.types, atoms, self.structure.present, linked):
            self.contact12.append(clashes.contact12_percent)
            self.overlap04.append(clashes.overlap04_per_1000)

    def result(self) -> dict[str, Any]:
        """Return the measures by name."""
        return {
            "contact12_percent": _mean_max(self.contact12),
            "overlap04_per_1000": _mean_max(self.overlap04),
            **{name: _count_record(count) for name, count in self.counts.items()},
        }


@dataclass(eq=False)
class _Comparison:
    """Measures of the generated structure against the reference, collected over frames."""

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
        reference, generated = self.reference.atoms[frames], self.generated.atoms[sampled]
        linked = self.linked[0][frames], self.linked[1][sampled]
        torsions = [
            measure_torsions(self.types, atoms, self.present, joined)
            for atoms, joined in zip((reference, generated), linked, strict=True)
        ]
        for histograms, measured in zip(self.histograms, torsions, strict=True):
            for name, counts in torsion_histograms(self.types, measured).items():
                histograms[name] = histograms.get(name, 0) + counts
        for jumps, measured in zip(self.jumps, torsions, strict=True):
            jumps.add(measured[..., _CHI1].reshape(len(reference), -1, len(self.types)))
        inner = inner_residues(linked[0])
        regions = dict(zip(REGIONS, (inner, np.ones_like(inner)), strict=True))
        repeated = np.repeat(reference, samples, axis=0)
        squares = squared_deviation(self.types, repeated, generated, self.present)
        repeated_torsions = np.repeat(torsions[0], samples, axis=0)
        for region, residues in regions.items():
            repeated_residues = np.repeat(residues, samples, axis=0)
            self._add_deviations(region, squares, repeated_residues)
            self._add_matches(region, repeated_torsions, torsions[1], repeated_residues)
        self._add_graphs(reference, generated, regions, samples)
        if samples > 1:
            self._add_diversity(generated.reshape(len(reference), samples, *generated.shape[1:]), inner)

    def _add_deviations(
        self, region: str, squares: Float[Array, "F L 15"], residues: Bool[Array, "F L"]
    ) -> None:
        for name, slots in ATOM_SETS.items():
            self.values[region, name] += rmsd(squares, self.present, residues, slots).tolist()

    def _add_matches(
        self,
        region: str,
        reference: Float[Array, "F L 7"],
        generated: Float[Array, "F L 7"],
        residues: Bool[Array, "F L"],
    ) -> None:
        matches = chi_matches(self.types, reference, generated, residues)
        for name, count in {**matches, "cis_kept": cis_kept(reference, generated, residues)}.items():
            self.counts[region, name] = self.counts[region, name].plus(count)

    def _add_graphs(
        self,
        reference: Float[Array, "F L 15 3"],
        generated: Float[Array, "N L 15 3"],
        regions: dict[str, Array],
        samples: int,
    ) -> None:
        for f, frame in enumerate(reference):
            reference_bonds = bond_graph(self.types, frame, self.present)
            for sample in generated[f * samples : (f + 1) * samples]:
                bonds = bond_graph(self.types, sample, self.present)
                for region, residues in regions.items():
                    distance = graph_distance(reference_bonds, bonds, self.present & residues[f, :, None])
                    if distance is not None:
                        self.values[region, "ged"].append(distance.edges)
                        self.values[region, "ged_symmetric"].append(distance.symmetric)

    def _add_diversity(self, samples: Float[Array, "F S L 15 3"], inner: Bool[Array, "F L"]) -> None:
        for frame, residues in zip(samples, inner, strict=True):
            for name in ("side_chain", "all_heavy"):
                value = pairwise_rmsd(self.types, frame, self.present, residues, ATOM_SETS[name])
                self.values["pairwise", name].append(value)

    def result(self) -> dict[str, Any]:
        """Return the measures by name."""
        regions = {region: self._region(region) for region in REGIONS}
        pairwise = {name: _mean(self.values["pairwise", name]) for name in ("side_chain", "all_heavy")}
        error = regions["inner"]["rmsd"]["all_heavy"]
        diversity = None
        if pairwise["all_heavy"] is not None:
            div = 1.0 - pairwise["all_heavy"] / error if error else None
            diversity = {"pairwise_side_chain_rmsd": pairwise["side_chain"], "div": div}
        jumps = {name: _count_record(jumps.count) for name, jumps in zip(_SIDES, self.jumps, strict=True)}
        torsional = {"torsions": divergences(*self.histograms), "chi1_jumps": jumps}
        return {**regions, **torsional, "diversity": diversity}

    def _region(self, region: str) -> dict[str, Any]:
        return {
            "rmsd": {name: _mean(self.values[region, name]) for name in ATOM_SETS},
            "ged": _mean(self.values[region, "ged"]),
            "ged_symmetric": _mean(self.values[region, "ged_symmetric"]),
            "chi": {name: _count_record(self.counts[region, name]) for name in ("chi1", "chi1_chi2")},
            "cis_kept": _count_record(self.counts[region, "cis_kept"]),
        }


def _mean(values: list[float]) -> float | None:
    """Mean of the finite values, None without any."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else None


def _mean_max(values: list[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "max": float(np.max(values))}


def _count_record(count: Count) -> dict[str, float | int | None]:
    return {"count": count.hits, "of": count.total, "percent": count.percent}
