"""Metrics of many chains pooled into one row of a table, by the code of ``latcpb evaluate``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from packbench import PackBenchMeasures, measure_packing

from latcpb_cli.evaluation.bootstrap import ratio_interval
from latcpb_cli.evaluation.column import make_column
from latcpb_cli.evaluation.evaluate import from_memory
from latcpb_cli.evaluation.measured import MeasuredStructure, compare_structure
from latcpb_cli.evaluation.records import Column
from latcpb_cli.metrics.accuracy import inner_residues
from latcpb_cli.structure import AtomStructure

__all__ = ["Comparison", "Row", "compare"]

FIGURES = {
    "all_heavy": ("inner", "rmsd", "all_heavy"),
    "backbone": ("inner", "rmsd", "backbone"),
    "side_chain": ("inner", "rmsd", "side_chain"),
    "all_heavy_with_ends": ("all", "rmsd", "all_heavy"),
    "backbone_with_ends": ("all", "rmsd", "backbone"),
    "side_chain_with_ends": ("all", "rmsd", "side_chain"),
    "ged": ("inner", "ged"),
    "ged_symmetric": ("inner", "ged_symmetric"),
    "contact12_percent": ("validity", "contact12_percent", "mean"),
    "overlap04_per_1000": ("validity", "overlap04_per_1000", "mean"),
    "pairwise_side_chain": ("diversity", "pairwise_side_chain_rmsd"),
    "div": ("diversity", "div"),
    "chi1": ("inner", "chi", "chi1", "percent"),
    "chi1_chi2": ("inner", "chi", "chi1_chi2", "percent"),
    "cis_kept_percent": ("inner", "cis_kept", "percent"),
    "bonds_percent": ("validity", "bonds", "percent"),
    "peptide_bonds_percent": ("validity", "peptide_bonds", "percent"),
    "angles_percent": ("validity", "angles", "percent"),
    "n_ca_c_percent": ("validity", "n_ca_c", "percent"),
    "omega_percent": ("validity", "omega", "percent"),
    "ramachandran_favoured": ("validity", "ramachandran_favoured", "percent"),
    "ramachandran_outliers": ("validity", "ramachandran_outliers", "percent"),
    "rotamer_outliers": ("validity", "chi1_outliers", "percent"),
}
"""Where a figure of the accuracy table is in the summary of a column."""
INTERVALS = {
    "all_heavy": "inner.rmsd.all_heavy",
    "backbone": "inner.rmsd.backbone",
    "side_chain": "inner.rmsd.side_chain",
    "chi1": "inner.chi.chi1",
    "chi1_chi2": "inner.chi.chi1_chi2",
}
"""Figures with an interval, and its name in a column; `PACKBENCH` have one, too."""
TOTALS = ("peptide_bonds", "d_residues", "inverted_cb", "pierced_rings", "cis_non_proline")
"""Counts; a row has their sum over chains, per sample where a chain has several."""
PACKBENCH = {"packbench_rmsd": "rmsd", "packbench_chi1_error": "chi1_error", "packbench_recovery": "recovery"}
"""Means over chains of the `PackBenchMeasures`."""


@dataclass(frozen=True)
class Comparison:
    """One chain compared with its reference.

    Attributes
    ----------
    measured : MeasuredStructure
    packing : PackBenchMeasures
    inner_atoms, missing : int
        Heavy atoms of the inner residues of the reference, and those of them that were not built.
    """

    measured: MeasuredStructure
    packing: PackBenchMeasures
    inner_atoms: int
    missing: int

    @property
    def n_residues(self) -> int:
        """Residues of all samples."""
        return len(self.measured.source.atoms.trace) * self.measured.samples


def compare(reference: AtomStructure, generated: AtomStructure, samples: int = 1) -> Comparison:
    """Compare one chain; both must have the same trace."""
    inner = inner_residues(reference.linked())[0, :, None] & reference.present
    inputs = from_memory(generated, "generated"), from_memory(reference, "reference")
    return Comparison(
        measured=compare_structure(*inputs, samples, "none", lambda frames: None),
        packing=measure_packing(reference, generated),
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

    def figures(self) -> dict[str, float | None]:
        """Every metric of the accuracy table; inner residues where a reference is needed."""
        measured = [pair.measured for pair in self.comparisons]
        summary = self._pool().summary
        torsions = summary["torsions"]
        atoms = sum(pair.inner_atoms for pair in self.comparisons)
        return {
            **{name: _lookup(summary, path) for name, path in FIGURES.items()},
            **{name: _total(measured, name) for name in TOTALS},
            **{f"{kind}_{name}": value for kind in ("kl", "js") for name, value in torsions[kind].items()},
            **{name: _mean(values) for name, values in self._packing().items()},
            "missing_atoms_percent": 100.0 * sum(pair.missing for pair in self.comparisons) / max(1, atoms),
        }

    def intervals(self) -> dict[str, tuple[float, float]]:
        """Bounds of 95 % of each figure that has them, by a bootstrap over chains; none of a single chain."""
        if len(self.comparisons) < 2:
            return {}
        pooled = self._pool().intervals
        intervals = {name: pooled.get(key) for name, key in INTERVALS.items()}
        for name, values in self._packing().items():
            intervals[name] = ratio_interval(values, np.ones(len(values)))
        return {name: bounds for name, bounds in intervals.items() if bounds is not None}

    def _pool(self) -> Column:
        """Put all chains into one column."""
        numbered = _numbered([pair.measured for pair in self.comparisons])
        return make_column("", numbered, {part.source.name: 0 for part in numbered})

    def _packing(self) -> dict[str, np.ndarray]:
        """Each measure of PackBench, one value per chain that has side chains."""
        return {
            name: np.array(
                [getattr(pair.packing, key) for pair in self.comparisons if pair.packing.rmsd >= 0]
            )
            for name, key in PACKBENCH.items()
        }


def _numbered(measured: list[MeasuredStructure]) -> list[MeasuredStructure]:
    """Give each chain a name of its own, by which means over chains are taken."""
    return [
        replace(part, source=replace(part.source, name=str(number))) for number, part in enumerate(measured)
    ]


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _total(measured: list[MeasuredStructure], name: str) -> float:
    return float(sum(sum(part.measures.columns[f"validity.{name}"]) / part.samples for part in measured))


def _lookup(result: Any, path: tuple[str, ...]) -> Any:
    """Follow the keys; None where a part of the result is None."""
    for key in path:
        result = None if result is None else result[key]
    return result
