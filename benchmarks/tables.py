"""Metrics of many chains gathered into one row of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from latcpb_cli.metrics.accuracy import inner_residues
from latcpb_cli.metrics.summary import evaluate_pair
from latcpb_cli.metrics.torsions import divergences, torsion_histograms, torsions
from latcpb_cli.structure import AtomStructure

__all__ = ["Measured", "Row", "measure"]

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
"""Distances: means over chains."""
SHARES = {
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
"""Percent of the cases of all chains together."""
TOTALS = {
    name: ("validity", "generated", name)
    for name in ("peptide_bonds", "d_residues", "inverted_cb", "pierced_rings", "cis_non_proline")
}
"""Counts, all chains together; per sample where a chain has several."""


@dataclass(frozen=True)
class Measured:
    """One chain against its reference.

    Attributes
    ----------
    result : dict
        From `evaluate_pair`.
    expected, found : dict, list of dict
        Histograms of the torsions of the reference and of each sample, atoms that both have.
    inner_atoms, missing : int
        Heavy atoms of the inner residues of the reference, and those that were not built.
    """

    result: dict[str, Any]
    expected: dict[str, np.ndarray]
    found: list[dict[str, np.ndarray]]
    inner_atoms: int
    missing: int


def measure(reference: AtomStructure, generated: AtomStructure, samples: int = 1) -> Measured:
    """Compare one chain; both must have the same trace."""
    types = reference.trace.residue_types
    present = reference.present & generated.present
    truth, angles = (
        torsions(types, structure.atoms, present, structure.linked()) for structure in (reference, generated)
    )
    inner = inner_residues(reference.linked())[0, :, None] & reference.present
    return Measured(
        result=evaluate_pair(reference, generated, samples),
        expected=torsion_histograms(types, truth),
        found=[torsion_histograms(types, angles[sample::samples]) for sample in range(samples)],
        inner_atoms=int(inner.sum()),
        missing=int((inner & ~generated.present).sum()),
    )


class Row:
    """Means over chains of distances, pooled shares of counts, pooled torsion histograms."""

    def __init__(self, chains: Iterable[Measured] = ()) -> None:
        self.chains = list(chains)

    def add(self, reference: AtomStructure, generated: AtomStructure, samples: int = 1) -> None:
        """Compare one chain."""
        self.chains.append(measure(reference, generated, samples))

    def mean(self, *path: str) -> float | None:
        values = [_get(chain.result, path) for chain in self.chains]
        return _mean(values)

    def percent(self, *path: str) -> float | None:
        counts = [_get(chain.result, path) for chain in self.chains]
        cases = sum(count["of"] for count in counts)
        return 100.0 * sum(count["count"] for count in counts) / cases if cases else None

    def total(self, *path: str) -> float:
        return sum(_get(chain.result, path)["count"] / chain.result["samples"] for chain in self.chains)

    def divergences(self) -> dict[str, float | None]:
        """KL and JS of the torsions of all chains together: of each sample by itself, and their mean.

        Of samples together they would be smaller, the more samples there are. As many
        samples count as every chain has.
        """
        expected = _pooled(chain.expected for chain in self.chains)
        samples = zip(*(chain.found for chain in self.chains), strict=False)
        each = [divergences(expected, _pooled(sample)) for sample in samples]
        return {
            f"{kind}_{name}": _mean(one[kind][name] for one in each)
            for kind in ("kl", "js")
            for name in each[0][kind]
        }

    def numbers(self) -> dict[str, float | None]:
        """Every metric of the accuracy table; inner residues where a reference is needed."""
        atoms = sum(chain.inner_atoms for chain in self.chains)
        return {
            **{name: self.mean(*path) for name, path in MEANS.items()},
            **{name: self.percent(*path) for name, path in SHARES.items()},
            **{name: self.total(*path) for name, path in TOTALS.items()},
            **self.divergences(),
            "missing_atoms_percent": 100.0 * sum(chain.missing for chain in self.chains) / max(1, atoms),
        }


def _pooled(histograms: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Add up histograms by name."""
    parts = list(histograms)
    return {name: sum((part[name] for part in parts), np.zeros(())) for name in parts[0]}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _get(result: Any, path: tuple[str, ...]) -> Any:
    """Follow the keys; None where a part was not measured."""
    for key in path:
        result = None if result is None else result[key]
    return result
