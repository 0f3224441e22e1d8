"""The accuracy table as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tables import Measured, Row
from workers import Cost

__all__ = ["Column", "markdown", "sections"]

ROWS = (
    ("chains", "chains", 0),
    ("**against the natives, inner residues**", "", 0),
    ("RMSD all heavy atoms, Å", "all_heavy", 2),
    ("RMSD backbone N, C, O, Å", "backbone", 2),
    ("RMSD side chain, Å", "side_chain", 2),
    ("χ1 within 40°, %", "chi1", 1),
    ("χ1+2 within 40°, %", "chi1_chi2", 1),
    ("cis peptides kept, %", "cis_kept_percent", 1),
    ("GED, number of bonds", "ged", 4),
    ("GED, symmetric difference", "ged_symmetric", 4),
    ("atoms not built, %", "missing_atoms_percent", 2),
    ("**the same with chain ends**", "", 0),
    ("RMSD all heavy / backbone / side chain, Å", "all_heavy_with_ends", 2),
    ("**torsions, KL from the natives'**", "", 0),
    ("φ", "kl_phi", 3),
    ("ψ", "kl_psi", 3),
    ("χ1", "kl_chi1", 3),
    ("mean of φ, ψ, χ1–χ4", "kl_mean", 3),
    ("**geometry**", "", 0),
    ("bonds > 10 % off, %", "bonds_percent", 3),
    ("C–N > 10 % off, %", "peptide_bonds_percent", 3),
    ("bond angles > 10° off, %", "angles_percent", 2),
    ("N–Cα–C > 10° off, %", "n_ca_c_percent", 2),
    ("ω > 30° from planar, %", "omega_percent", 2),
    ("cis non-Pro peptides", "cis_non_proline", -1),
    ("D residues", "d_residues", -1),
    ("inverted Thr/Ile CB", "inverted_cb", -1),
    ("pierced rings", "pierced_rings", -1),
    ("Ramachandran favoured, %", "ramachandran_favoured", 1),
    ("Ramachandran outliers, %", "ramachandran_outliers", 2),
    ("χ1 > 40° off staggered, %", "rotamer_outliers", 1),
    ("**clashes**", "", 0),
    ("residues with a contact < 1.2 Å, %", "contact12_percent", 2),
    ("overlaps ≥ 0.4 Å per 1,000 atoms", "overlap04_per_1000", 1),
    ("**diversity of samples**", "", 0),
    ("pairwise side-chain RMSD, Å", "pairwise_side_chain", 2),
    ("DIV", "div", 2),
    ("**cost**", "", 0),
    ("residues per second", "residues_per_second", 0),
    ("residues per CPU second", "residues_per_cpu_second", 0),
    ("loading, s", "load_seconds", 1),
    ("peak memory, MB", "peak_mb", 0),
)
"""Label, name of the number and digits (-1: as short as it goes); a line without a name is a heading."""


@dataclass
class Column:
    """A method: what it made of each chain, by the chain's number.

    Attributes
    ----------
    name, label : str
    measured : dict of int to Measured
    costs : dict of int to tuple of Cost
        Of each program that took part.
    failures : dict of int to str
    """

    name: str
    label: str
    measured: dict[int, Measured] = field(default_factory=dict)
    costs: dict[int, tuple[Cost, ...]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)

    def numbers(self, chains: Sequence[int]) -> dict[str, Any]:
        """Every figure of the chains among these that were built."""
        there = [chain for chain in chains if chain in self.measured]
        if not there:
            return {"chains": 0}
        built = [self.measured[chain] for chain in there]
        size = sum(one.result["residues"] * one.result["samples"] for one in built)
        numbers = {"chains": len(built), **Row(built).numbers()}
        costs = [cost for chain in there for cost in self.costs.get(chain, ())]
        if costs:
            numbers["residues_per_second"] = size / sum(cost.seconds for cost in costs)
            numbers["residues_per_cpu_second"] = size / sum(cost.cpu_seconds for cost in costs)
            last = self.costs[there[-1]]
            numbers["load_seconds"] = sum(cost.load_seconds for cost in last)
            numbers["peak_mb"] = max(cost.peak_mb for cost in costs)
        return numbers


def sections(columns: list[Column], residues: dict[int, int]) -> list[dict[str, Any]]:
    """Tables that may be compared: the methods that were given every chain, and all of them on common chains.

    Parameters
    ----------
    columns : list of Column
    residues : dict of int to int
        Length of each chain asked for, by its number.
    """
    running = [column for column in columns if column.measured]
    whole = [column for column in running if {*column.measured, *column.failures} >= set(residues)]
    common = sorted(set(residues).intersection(*(column.measured for column in running)))
    tables = [("Every chain", whole, sorted(residues))]
    if 0 < len(common) < len(residues):
        tables.append(("The chains that every method has built", running, common))
    return [
        {
            "title": title,
            "chains": len(chains),
            "residues": sum(residues[chain] for chain in chains),
            "methods": {column.name: column.numbers(chains) for column in shown},
        }
        for title, shown, chains in tables
        if shown
    ]


def markdown(facts: dict[str, Any], tables: list[dict[str, Any]], columns: list[Column]) -> str:
    """Every section as a table of metrics (rows) and methods (columns), then the failures."""
    labels = {column.name: column.label for column in columns}
    lines = [" · ".join(f"{key} {value}" for key, value in facts.items())]
    for table in tables:
        names = list(table["methods"])
        lines += ["", f"### {table['title']}: {table['chains']} chains, {table['residues']:,} residues", ""]
        lines.append(_line("", [labels[name] for name in names]))
        lines.append(_line("---", ["---:"] * len(names)))
        for label, key, digits in ROWS:
            cells = [_cell(table["methods"][name], key, digits) for name in names]
            if not key or any(cell != "–" for cell in cells):
                lines.append(_line(label, cells))
    return "\n".join([*lines, *_failures(columns), ""])


def _failures(columns: list[Column]) -> list[str]:
    """One line for each method and message, with the chains that it was said of."""
    lines = []
    for column in columns:
        chains: dict[str, list[str]] = {}
        for chain, message in column.failures.items():
            chains.setdefault(message, []).append(str(chain))
        for message, numbers in chains.items():
            lines.append(f"- {column.label}, {len(numbers)} chains ({', '.join(numbers)}): {message}")
    return ["", "### Failures", "", *lines] if lines else []


def _line(first: str, cells: list[str]) -> str:
    return "| " + " | ".join([first, *cells]) + " |"


def _cell(numbers: dict[str, Any], key: str, digits: int) -> str:
    if not key:
        return ""
    if key == "all_heavy_with_ends":
        sets = ("all_heavy", "backbone", "side_chain")
        return " / ".join(_number(numbers.get(f"{name}_with_ends"), digits) for name in sets)
    return _number(numbers.get(key), digits)


def _number(value: float | None, digits: int) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if digits < 0 else f"{value:,.{digits}f}"
