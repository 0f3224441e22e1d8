"""Metrics of many chains pooled into one row of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from latcpb_cli.metrics.accuracy import inner_residues
from latcpb_cli.metrics.summary import evaluate_pair
from latcpb_cli.metrics.torsions import divergences, measure_torsions, torsion_histograms
from latcpb_cli.structure import AtomStructure

__all__ = ["Comparison", "Row", "compare"]

MEANS = {
    "all_heavy": ("inner", "rmsd", "all_heavy"),
    "backbone": ("inner", "rmsd", "backbone"),
    "side_chain": ("inner", "rmsd", "side_chain"),
    "all_heavy_with_ends": ("all", "rmsd", "all_heavy"),
    "backbone_with_ends": ("all", "rmsd", "backbone"),
    "side_chain_with_ends": ("all", "rmsd", "side_chain"),
    "ged": ("inner", "ged"),
    "ged_symmetric": ("inner", "ged_symmetric"),
    "contact12_percent": ("validity", "generated", "contact12_percent", "mean"),
    "overlap04_per_1000": ("validity", "generated", "overlap04_per_1000", "mean"),
    "pairwise_side_chain": ("diversity", "pairwise_side_chain_rmsd"),
    "div": ("diversity", "div"),
}
"""Keys of distances in a comparison; a row has their means over chains."""
PERCENTAGES = {
    "chi1": ("inner", "chi", "chi1"),
    "chi1_chi2": ("inner", "chi", "chi1_chi2"),
    "cis_kept_percent": ("inner", "cis_kept"),
    "bonds_percent": ("validity", "generated", "bonds"),
    "peptide_bonds_percent": ("validity", "generated", "peptide_bonds"),
    "angles_percent": ("validity", "generated", "angles"),
    "n_ca_c_percent": ("validity", "generated", "n_ca_c"),
    "omega_percent": ("validity", "generated", "omega"),
    "ramachandran_favoured": ("validity", "generated", "ramachandran_favoured"),
    "ramachandran_outliers": ("validity", "generated", "ramachandran_outliers"),
    "rotamer_outliers": ("validity", "generated", "chi1_outliers"),
}
"""Keys of counts; a row has the percentage over the cases of all chains."""
TOTALS = {
    name: ("validity", "generated", name)
    for name in ("peptide_bonds", "d_residues", "inverted_cb", "pierced_rings", "cis_non_proline")
}
"""Keys of counts; a row has their sum over chains, per sample where a chain has several."""


@dataclass(frozen=True)
class Comparison:
    """One chain compared with its reference.

    Attributes
    ----------
    result : dict
        From `evaluate_pair`.
    reference_torsions, generated_torsions : dict, list of dict
        Torsion histograms of the reference and of each sample, over atoms that both have.
    inner_atoms, missing : int
        Heavy atoms of the inner residues of the reference, and those of them that were not built.
    """

    result: dict[str, Any]
    reference_torsions: dict[str, np.ndarray]
    generated_torsions: list[dict[str, np.ndarray]]
    inner_atoms: int
    missing: int


def compare(reference: AtomStructure, generated: AtomStructure, samples: int = 1) -> Comparison:
    """Compare one chain; both must have the same trace."""
    types = reference.trace.residue_types
    present = reference.present & generated.present
    expected, angles = (
        measure_torsions(types, structure.atoms, present, structure.linked())
        for structure in (reference, generated)
    )
    inner = inner_residues(reference.linked())[0, :, None] & reference.present
    return Comparison(
        result=evaluate_pair(reference, generated, samples),
        reference_torsions=torsion_histograms(types, expected),
        generated_torsions=[torsion_histograms(types, angles[n::samples]) for n in range(samples)],
        inner_atoms=int(inner.sum()),
        missing=int((inner & ~generated.present).sum()),
    )


class Row:
    """Comparisons of many chains: means of distances, percentages of counts, pooled torsion histograms."""

    def __init__(self, comparisons: Iterable[Comparison] = ()) -> None:
        self.comparisons = list(comparisons)

    def add(self, reference: AtomStructure, generated: AtomStructure, samples: int = 1) -> None:
        """Compare one chain."""
        self.comparisons.append(compare(reference, generated, samples))

    def mean(self, *path: str) -> float | None:
        values = [_lookup(pair.result, path) for pair in self.comparisons]
        return _mean(values)

    def percent(self, *path: str) -> float | None:
        counts = [_lookup(pair.result, path) for pair in self.comparisons]
        cases = sum(count["of"] for count in counts)
        return 100.0 * sum(count["count"] for count in counts) / cases if cases else None

    def total(self, *path: str) -> float:
        per_sample = (
            _lookup(pair.result, path)["count"] / pair.result["samples"] for pair in self.comparisons
        )
        return float(sum(per_sample))

    def divergences(self) -> dict[str, float | None]:
        """KL and JS of the torsions of all chains, as the mean over samples.

        Pooled samples would give smaller values, the more samples there are. The number of samples is the
        smallest of all chains.
        """
        expected = _pooled(pair.reference_torsions for pair in self.comparisons)
        samples = zip(*(pair.generated_torsions for pair in self.comparisons), strict=False)
        by_sample = [divergences(expected, _pooled(sample)) for sample in samples]
        return {
            f"{measure}_{name}": _mean(sample[measure][name] for sample in by_sample)
            for measure in ("kl", "js")
            for name in by_sample[0][measure]
        }

    def figures(self) -> dict[str, float | None]:
        """Every metric of the accuracy table; inner residues where a reference is needed."""
        atoms = sum(pair.inner_atoms for pair in self.comparisons)
        return {
            **{name: self.mean(*path) for name, path in MEANS.items()},
            **{name: self.percent(*path) for name, path in PERCENTAGES.items()},
            **{name: self.total(*path) for name, path in TOTALS.items()},
            **self.divergences(),
            "missing_atoms_percent": 100.0 * sum(pair.missing for pair in self.comparisons) / max(1, atoms),
        }


def _pooled(histograms: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Sum histograms by name."""
    parts = list(histograms)
    return {name: sum((part[name] for part in parts), np.zeros(())) for name in parts[0]}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _lookup(result: Any, path: tuple[str, ...]) -> Any:
    """Follow the keys; None where a part of the result is None."""
    for key in path:
        result = None if result is None else result[key]
    return result
