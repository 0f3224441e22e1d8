"""The accuracy table as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tables import Comparison, Row
from workers import Cost

__all__ = ["Column", "figure_row", "markdown", "sections", "table_line"]

GROUPS = {
    "against the natives, inner residues": (
        ("RMSD all heavy atoms, Å", "all_heavy", 2),
        ("RMSD backbone N, C, O, Å", "backbone", 2),
        ("RMSD side chain, Å", "side_chain", 2),
        ("χ1 within 40°, Pro left out, %", "chi1", 1),
        ("χ1+2 within 40°, Pro left out, %", "chi1_chi2", 1),
        ("cis peptides kept, %", "cis_kept_percent", 1),
        ("GED, number of bonds", "ged", 4),
        ("GED, symmetric difference", "ged_symmetric", 4),
        ("atoms not built, %", "missing_atoms_percent", 2),
    ),
    "the same with chain ends": (
        ("RMSD all heavy atoms, Å", "all_heavy_with_ends", 2),
        ("RMSD backbone N, C, O, Å", "backbone_with_ends", 2),
        ("RMSD side chain, Å", "side_chain_with_ends", 2),
    ),
    "as PackBench measures, all residues": (
        ("RMSD of side chains, each residue superposed, Å", "packbench_rmsd", 2),
        ("χ1 error, °", "packbench_chi1_error", 1),
        ("all χ within 20°, %", "packbench_recovery", 1),
    ),
    "torsions, KL from the natives'": (
        ("φ", "kl_phi", 3),
        ("ψ", "kl_psi", 3),
        ("χ1", "kl_chi1", 3),
        ("χ2", "kl_chi2", 3),
        ("χ3", "kl_chi3", 3),
        ("χ4", "kl_chi4", 3),
        ("mean", "kl_mean", 3),
        ("mean JS", "js_mean", 3),
    ),
    "geometry": (
        ("bonds > 10 % off, %", "bonds_percent", 3),
        ("C–N > 10 % off, %", "peptide_bonds_percent", 3),
        ("bond angles > 10° off, %", "angles_percent", 2),
        ("N–Cα–C > 10° off, %", "n_ca_c_percent", 2),
        ("ω > 30° from planar, %", "omega_percent", 2),
        ("cis non-Pro peptides", "cis_non_proline", 0),
        ("D residues", "d_residues", 0),
        ("inverted Thr/Ile CB", "inverted_cb", 0),
        ("pierced rings", "pierced_rings", 0),
        ("Ramachandran favoured, %", "ramachandran_favoured", 1),
        ("Ramachandran outliers, %", "ramachandran_outliers", 2),
        ("χ1 > 40° off staggered, %", "rotamer_outliers", 1),
    ),
    "clashes": (
        ("residues with a contact < 1.2 Å, %", "contact12_percent", 2),
        ("overlaps ≥ 0.4 Å per 1,000 atoms", "overlap04_per_1000", 1),
    ),
    "diversity of samples": (
        ("pairwise side-chain RMSD, Å", "pairwise_side_chain", 2),
        ("DIV", "div", 2),
    ),
    "cost": (
        ("residues per second", "residues_per_second", 0),
        ("residues per CPU second", "residues_per_cpu_second", 0),
        ("loading, s", "load_seconds", 1),
        ("peak memory, MB", "peak_mb", 0),
        ("threads", "threads", 0),
    ),
}
"""Rows of the Markdown table under their headings: label, name of the figure, digits."""
INTERVAL_NOTE = "± is half the width of the interval of 95 % from a bootstrap over structures."


@dataclass
class Column:
    """The results of a method, by the name of the structure.

    Attributes
    ----------
    name, label : str
    comparisons : dict of str to Comparison
    costs : dict of str to tuple of Cost
        Of each program that took part.
    failures : dict of str to str
        Error messages.
    """

    name: str
    label: str
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    costs: dict[str, tuple[Cost, ...]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def figures(self, structures: Sequence[str]) -> dict[str, Any]:
        """Every figure over those of the given structures that were built, and ``intervals`` of some."""
        built = [name for name in structures if name in self.comparisons]
        if not built:
            return {"structures": 0}
        pooled = Row(self.comparisons[name] for name in built)
        size = sum(pair.n_residues for pair in pooled.comparisons)
        figures: dict[str, Any] = {"structures": len(built), **pooled.figures()}
        figures["intervals"] = pooled.intervals()
        costs = [cost for name in built for cost in self.costs.get(name, ())]
        if costs:
            figures["residues_per_second"] = size / sum(cost.seconds for cost in costs)
            figures["residues_per_cpu_second"] = size / sum(cost.cpu_seconds for cost in costs)
            figures["load_seconds"] = sum(cost.load_seconds for cost in self.costs[built[-1]])
            for name in ("peak_mb", "threads"):
                figures[name] = max(getattr(cost, name) for cost in costs)
        return figures


def sections(columns: list[Column], residues: dict[str, int]) -> list[dict[str, Any]]:
    """Tables whose columns can be compared: methods run on every structure, and all methods on common ones.

    Parameters
    ----------
    columns : list of Column
    residues : dict of str to int
        Length of each structure, by its name.
    """
    running = [column for column in columns if column.comparisons]
    whole = [column for column in running if {*column.comparisons, *column.failures} >= set(residues)]
    common = sorted(set(residues).intersection(*(column.comparisons for column in running)))
    tables = [("Every structure", whole, sorted(residues))]
    if 0 < len(common) < len(residues):
        tables.append(("The structures that every method has built", running, common))
    return [
        {
            "title": title,
            "structures": len(names),
            "residues": sum(residues[name] for name in names),
            "methods": {column.name: column.figures(names) for column in shown},
        }
        for title, shown, names in tables
        if shown
    ]


def markdown(facts: dict[str, Any], tables: list[dict[str, Any]], columns: list[Column]) -> str:
    """Format every section as a table of metrics (rows) and methods (columns), then the failures."""
    labels = {column.name: column.label for column in columns}
    lines = [" · ".join(f"{key} {value}" for key, value in facts.items()), "", INTERVAL_NOTE]
    for table in tables:
        names = list(table["methods"])
        lines += [
            "",
            f"### {table['title']}: {table['structures']} structures, {table['residues']:,} residues",
            "",
        ]
        lines.append(table_line("", [labels[name] for name in names]))
        lines.append(table_line("---", ["---:"] * len(names)))
        lines.append(table_line("structures", [str(table["methods"][name]["structures"]) for name in names]))
        for heading, rows in GROUPS.items():
            body = [figure_row(list(table["methods"].values()), *row) for row in rows]
            if any(body):
                lines += [table_line(f"**{heading}**", [""] * len(names)), *filter(None, body)]
    return "\n".join([*lines, *_failures(columns), ""])


def _failures(columns: list[Column]) -> list[str]:
    """Format one line for each method and message, with the structures that failed with it."""
    lines = []
    for column in columns:
        failed: dict[str, list[str]] = {}
        for name, message in column.failures.items():
            failed.setdefault(message, []).append(name)
        for message, names in failed.items():
            lines.append(f"- {column.label}, {len(names)} structures ({', '.join(names)}): {message}")
    return ["", "### Failures", "", *lines] if lines else []


def table_line(first: str, cells: list[str]) -> str:
    """Format one line of a table."""
    return "| " + " | ".join([first, *cells]) + " |"


def figure_row(methods: list[dict[str, Any]], label: str, key: str, digits: int) -> str:
    """Format one figure of all methods; an empty string where no method has it."""
    if all(figures.get(key) is None for figures in methods):
        return ""
    cells = [_cell(figures.get(key), figures.get("intervals", {}).get(key), digits) for figures in methods]
    return table_line(label, cells)


def _cell(value: float | None, interval: tuple[float, float] | None, digits: int) -> str:
    """Format a figure, and half the width of its interval."""
    if value is None:
        return "–"
    half = f" ± {(interval[1] - interval[0]) / 2:.{digits}f}" if interval else ""
    return f"{value:,.{digits}f}{half}"
