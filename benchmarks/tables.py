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
    histograms : tuple of dict
        Torsions of the reference and of the generated chain, atoms that both have.
    inner_atoms, missing : int
        Heavy atoms of the inner residues of the reference, and those that were not built.
    """

    result: dict[str, Any]
    histograms: tuple[dict[str, np.ndarray], dict[str, np.ndarray]]
    inner_atoms: int
    missing: int


def measure(reference: AtomStructure, generated: AtomStructure, samples: int = 1) -> Measured:
    """Compare one chain; both must have the same trace."""
    types = reference.trace.residue_types
    present = reference.present & generated.present
    expected, found = (
        torsion_histograms(types, torsions(types, structure.atoms, present, structure.linked()))
        for structure in (reference, generated)
    )
    inner = inner_residues(reference.linked())[0, :, None] & reference.present
    return Measured(
        result=evaluate_pair(reference, generated, samples),
        histograms=(expected, found),
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
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    def percent(self, *path: str) -> float | None:
        counts = [_get(chain.result, path) for chain in self.chains]
        cases = sum(count["of"] for count in counts)
        return 100.0 * sum(count["count"] for count in counts) / cases if cases else None

    def total(self, *path: str) -> float:
        return sum(_get(chain.result, path)["count"] / chain.result["samples"] for chain in self.chains)

    def divergences(self) -> dict[str, float | None]:
        """KL and JS of the torsions of all chains together."""
        pooled = [
            {name: sum(chain.histograms[side][name] for chain in self.chains) for name in names}
            for side, names in enumerate(self.chains[0].histograms)
        ]
        found = divergences(*pooled)
        return {f"{kind}_{name}": value for kind in ("kl", "js") for name, value in found[kind].items()}

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


def _get(result: Any, path: tuple[str, ...]) -> Any:
    """Follow the keys; None where a part was not measured."""
    for key in path:
        result = None if result is None else result[key]
    return result
