"""χ1 at interfaces, with the traces of all chains given and with each chain by itself.

Percentages are pooled over inner residues; a complex is the unit of the bootstrap, because the chains of one
are alike. Buried residues (`diversity.is_buried`) of a chain by itself are those at no interface: what side
chains reach whose surroundings are all there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from chains import references
from complexes import Complex
from diversity import is_buried
from report import Column, figure_row, table_line

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.evaluation.bootstrap import ratio_interval
from latcpb_cli.metrics.accuracy import inner_residues
from latcpb_cli.structure import AtomStructure

__all__ = ["interface_lines", "interface_sections", "single_chains"]

ROWS = (
    ("interface, all chains given, %", "given", 1),
    ("of these, buried among all chains, %", "buried_interface", 1),
    ("interface, each chain by itself, %", "withheld", 1),
    ("difference, points", "gain", 1),
    ("buried, each chain by itself, %", "buried", 1),
)
GROUPS = {"Chains unrelated to training chains": False, "Chains related to training chains": True}


@dataclass(frozen=True, eq=False)
class Chi1Matches:
    """Matches of χ1 in one complex, shape (L,): NaN where it has none, or is not at an inner residue.

    Attributes
    ----------
    complex : Complex
    given, withheld : numpy.ndarray of float64, shape (L,)
        Fraction of the samples.
    buried, buried_interface : numpy.ndarray of bool, shape (L,)
        Buried in the chain by itself and at no interface; at an interface and buried among all chains.
    """

    complex: Complex
    given: np.ndarray
    withheld: np.ndarray
    buried: np.ndarray
    buried_interface: np.ndarray


def single_chains(complexes: Iterable[Complex]) -> dict[str, AtomStructure]:
    """Return each chain by itself, by its name."""
    chains = {name: chain for each in complexes for name, chain in each.single_chains().items()}
    natives = (native for _, native, _ in references(chains.values()))
    return dict(zip(chains, natives, strict=True))


def interface_sections(
    complexes: list[Complex], natives: dict[str, AtomStructure], given: list[Column], withheld: list[Column]
) -> list[dict[str, Any]]:
    """Figures of each method that runs, on the complexes and single chains that all of them have built.

    Parameters
    ----------
    complexes : list of Complex
    natives : dict of str to AtomStructure
        From `single_chains`.
    given, withheld : list of Column
        The methods' comparisons of complexes, and of single chains, in one order.
    """
    running = [pair for pair in zip(given, withheld, strict=True) if pair[0].comparisons]
    common = [
        each
        for each in complexes
        if all(each.name in whole.comparisons for whole, _ in running)
        and all(name in apart.comparisons for _, apart in running for name in each.single_chains())
    ]
    matches = {
        whole.name: [_matches(each, natives, whole, apart) for each in common] for whole, apart in running
    }
    sections = []
    for title, related in GROUPS.items():
        counts = [int((each.interface & (each.related == related)).sum()) for each in common]
        if any(counts):
            figures = {name: _figures(parts, related) for name, parts in matches.items()}
            sections.append(
                {
                    "title": title,
                    "complexes": len([count for count in counts if count]),
                    "interface_residues": sum(counts),
                    "methods": figures,
                }
            )
    return sections


def interface_lines(sections: list[dict[str, Any]], columns: list[Column]) -> list[str]:
    """Format the sections as Markdown."""
    labels = {column.name: column.label for column in columns}
    lines = ["", "### χ1 within 40° at interfaces"]
    for section in sections:
        methods = section["methods"]
        number, residues = section["complexes"], section["interface_residues"]
        complexes = f"{number} complex{'es' if number > 1 else ''}"
        lines += ["", f"{section['title']}: {complexes}, {residues:,} interface residues", ""]
        lines += [
            table_line("", [labels[name] for name in methods]),
            table_line("---", ["---:"] * len(methods)),
        ]
        lines += filter(None, (figure_row(list(methods.values()), *row) for row in ROWS))
    return lines


def _matches(
    whole: Complex, natives: dict[str, AtomStructure], given: Column, withheld: Column
) -> Chi1Matches:
    """Put the matches of the single chains of a complex one after the other, as in the complex."""
    names = list(whole.single_chains())
    inner = np.concatenate([inner_residues(natives[name].linked())[0] for name in names])
    buried = np.concatenate([is_buried(natives[name].atoms[:, :, CA_SLOT]) for name in names])
    apart = np.concatenate([_chi1(withheld, name) for name in names])
    together = _chi1(given, whole.name)
    counted = inner & np.isfinite(apart) & np.isfinite(together)
    return Chi1Matches(
        complex=whole,
        given=np.where(counted, together, np.nan),
        withheld=np.where(counted, apart, np.nan),
        buried=buried & ~whole.interface,
        buried_interface=whole.interface & is_buried(whole.structure.atoms[None, :, CA_SLOT]),
    )


def _chi1(column: Column, name: str) -> np.ndarray:
    comparison = column.comparisons[name].measured.comparison
    assert comparison is not None
    return comparison.residues.values()["chi1_match"]


def _figures(matches: list[Chi1Matches], related: bool) -> dict[str, Any]:
    """Percentages over one group of chains, and their intervals over complexes."""
    terms: dict[str, list[tuple[float, float]]] = {key: [] for _, key, _ in ROWS}
    for each in matches:
        group = each.complex.related == related
        interface, buried = each.complex.interface & group, each.buried & group
        for key, values, rows in (
            ("given", each.given, interface),
            ("buried_interface", each.given, each.buried_interface & group),
            ("withheld", each.withheld, interface),
            ("gain", each.given - each.withheld, interface),
            ("buried", each.withheld, buried),
        ):
            counted = values[rows & np.isfinite(values)]
            terms[key].append((float(counted.sum()), len(counted)))
    figures: dict[str, Any] = {"intervals": {}}
    for key, pairs in terms.items():
        hits, cases = np.array(pairs).T
        figures[key] = 100.0 * hits.sum() / cases.sum() if cases.sum() else None
        if interval := ratio_interval(hits, cases):
            figures["intervals"][key] = 100.0 * interval[0], 100.0 * interval[1]
    return figures
