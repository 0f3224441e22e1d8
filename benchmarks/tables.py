"""Metrics of many chains gathered into one row of a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latcpb_cli.metrics.summary import evaluate_pair
from latcpb_cli.metrics.torsions import divergences, torsion_histograms, torsions
from latcpb_cli.structure import AtomStructure


@dataclass
class Row:
    """Means over chains of distances, pooled shares of counts, pooled torsion histograms."""

    results: list[dict[str, Any]] = field(default_factory=list)
    histograms: list[dict[str, np.ndarray]] = field(default_factory=lambda: [{}, {}])

    def add(self, reference: AtomStructure, generated: AtomStructure, samples: int = 1) -> None:
        """Compare one chain."""
        self.results.append(evaluate_pair(reference, generated, samples))
        types = reference.trace.residue_types
        for total, structure in zip(self.histograms, (reference, generated), strict=True):
            angles = torsions(types, structure.atoms, reference.present, structure.linked())
            for name, counts in torsion_histograms(types, angles).items():
                total[name] = total.get(name, 0) + counts

    def mean(self, *path: str) -> float:
        values = [_get(result, path) for result in self.results]
        return float(np.mean([value for value in values if value is not None]))

    def percent(self, *path: str) -> float:
        counts = [_get(result, path) for result in self.results]
        return 100.0 * sum(c["count"] for c in counts) / max(1, sum(c["of"] for c in counts))

    def total(self, *path: str) -> int:
        return sum(_get(result, path)["count"] for result in self.results)

    def numbers(self, structure: str = "generated") -> dict[str, float]:
        """Every metric of the accuracy table, inner residues."""
        kl = divergences(*self.histograms)["kl"]
        valid = ("validity", structure)
        return {
            "all_heavy": self.mean("inner", "rmsd", "all_heavy"),
            "backbone": self.mean("inner", "rmsd", "backbone"),
            "side_chain": self.mean("inner", "rmsd", "side_chain"),
            "chi1": self.percent("inner", "chi", "chi1"),
            "chi1_chi2": self.percent("inner", "chi", "chi1_chi2"),
            "ged": self.mean("inner", "ged"),
            "ged_symmetric": self.mean("inner", "ged_symmetric"),
            **{f"kl_{name}": value for name, value in kl.items()},
            "contact12_percent": self.mean(*valid, "contact12_percent", "mean"),
            "overlap04_per_1000": self.mean(*valid, "overlap04_per_1000", "mean"),
            "bonds_percent": self.percent(*valid, "bonds"),
            "peptide_bonds": self.total(*valid, "peptide_bonds"),
            "angles_percent": self.percent(*valid, "angles"),
            "omega_percent": self.percent(*valid, "omega"),
            "d_residues": self.total(*valid, "d_residues"),
            "inverted_cb": self.total(*valid, "inverted_cb"),
            "pierced_rings": self.total(*valid, "pierced_rings"),
            "cis_kept_percent": self.percent("inner", "cis_kept"),
            "cis_non_proline": self.total(*valid, "cis_non_proline"),
            "ramachandran_favoured": self.percent(*valid, "ramachandran_favoured"),
            "ramachandran_outliers": self.percent(*valid, "ramachandran_outliers"),
        }


def _get(result: dict[str, Any], path: tuple[str, ...]) -> Any:
    for key in path:
        result = result[key]
    return result
