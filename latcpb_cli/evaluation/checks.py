"""Pass or fail: the checks that a sound structure meets, in the manner of PoseBusters.

PoseBusters (Buttenschoen et al. 2024, doi:10.1039/D3SC04185A) judges ligands by a
list of tests that any good pose passes. Here the limits of rates are those that 99 %
of crystal structures held out of training meet, from ``benchmarks/check_limits.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.evaluation.definitions import definition
from latcpb_cli.evaluation.measured import MeasuredStructure
from latcpb_cli.evaluation.records import CheckResult

__all__ = ["CHECKS", "Check", "run_checks"]


@dataclass(frozen=True)
class Check:
    """A limit on a figure.

    Attributes
    ----------
    name, label : str
    figure : str
        Name of the figure in `DEFINITIONS`; "" for the atoms that are missing.
    part : {'count', 'percent', 'mean', 'max'}
        Which part of the figure.
    limit : float
        The largest value that passes, or the smallest where ``at_least``.
    at_least : bool
    """

    name: str
    label: str
    figure: str
    part: str
    limit: float
    at_least: bool = False


CHECKS = (
    Check("complete", "every heavy atom is there", "", "count", 0),
    Check("chirality", "no D residue", "validity.d_residues", "count", 0),
    Check("thr_ile", "Thr and Ile Cβ as in nature", "validity.inverted_cb", "count", 0),
    Check("peptide_bonds", "peptide bonds closed", "validity.peptide_bonds", "count", 0),
    Check("bonds", "bond lengths", "validity.bonds", "percent", 0.3),
    Check("angles", "bond angles", "validity.angles", "percent", 0.7),
    Check("planar_peptides", "peptides planar", "validity.omega", "percent", 1.0),
    Check("cis_peptides", "cis peptides rare, but for Pro", "validity.cis_non_proline", "percent", 0.9),
    Check("rings", "no ring pierced", "validity.pierced_rings", "count", 0),
    Check("contacts", "no contact below 1.2 Å", "validity.contact12_percent", "max", 0),
    Check("overlaps", "overlaps rare", "validity.overlap04_per_1000", "mean", 30),
    Check("ramachandran", "Ramachandran outliers rare", "validity.ramachandran_outliers", "percent", 3.1),
    Check("favoured", "Ramachandran favoured", "validity.ramachandran_favoured", "percent", 88.9, True),
    Check("chi1", "χ1 staggered", "validity.chi1_outliers", "percent", 9.7),
    Check("rotamers", "rotamer outliers rare", "validity.rotamer_outliers", "percent", 3.4),
)


def run_checks(
    summary: Mapping[str, Any], structures: Sequence[MeasuredStructure]
) -> tuple[CheckResult, ...]:
    """Compare the figures of a column with the limits."""
    return tuple(_run(check, summary, structures) for check in CHECKS)


def _run(check: Check, summary: Mapping[str, Any], structures: Sequence[MeasuredStructure]) -> CheckResult:
    value = _missing_atoms(structures) if not check.figure else _part(check, summary)
    passed = None
    if value is not None:
        passed = value >= check.limit if check.at_least else value <= check.limit
    return CheckResult(check.name, check.label, passed, value, check.limit)


def _part(check: Check, summary: Mapping[str, Any]) -> float | None:
    value: Any = summary
    for key in definition(check.figure).name.split("."):
        value = value.get(key) if value is not None else None
    return None if value is None or value[check.part] is None else float(value[check.part])


def _missing_atoms(structures: Sequence[MeasuredStructure]) -> float:
    """Number of heavy atoms, without OXT, that residues lack."""
    atoms = [part.source.atoms for part in structures]
    return float(sum((slot_mask()[a.trace.residue_types] & ~a.present).sum() for a in atoms))
