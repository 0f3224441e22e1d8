"""Crystal chains with another structure of the same protein as template, in best mode, by tolerance.

    python benchmarks/template_pairs.py DATA [--weights DIR] [--set train] [--pairs 60] [--tolerances 0.2,0.8]

Of each protein with several chains in the set (95 % identity), the two whose Cα distances differ most are
templates of each other. Errors are RMSD (Å) of side chains of inner residues, as in `templates.py`, without
the template and for each tolerance; the last lines are means over pairs, by the median deviation (Å) of
residues from the template. ``kept`` is the percentage of χ1 that are in the rotamer of the template, and
``model`` the probability that the model gives it there.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from arguments import measurement_parser
from chains import rebuild, references
from diversity import side_chain_error
from persistence import Persistence, first_chi_persistence

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.accuracy import inner_residues
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import AtomStructure, FrameChunk
from latcpb_cli.templates.matching import match_chains
from latcpb_cli.templates.template import Template
from latcpb_cli.train.data import packed_loaders
from latcpb_cli.train.splits import chain_rows, chains_folder

MAX_CHAINS, MIN_RESIDUES = 8, 30
"""Chains of a protein that are compared, and residues that two must have in common."""
BOUNDARIES = (0.2, 0.5)  # Å


class Chain(NamedTuple):
    """A crystal chain, and its Cα."""

    native: AtomStructure
    chunk: FrameChunk


def proteins(data: Path, name: str) -> Iterator[list[Chain]]:
    """Yield the chains of each protein that has several."""
    clusters = defaultdict(list)
    for row, load in packed_loaders(chains_folder(data), "chains", chain_rows(data, name)):
        clusters[row["cluster95"]].append(load)
    for loaders in clusters.values():
        if len(loaders) > 1:
            structures = (load() for load in loaders[:MAX_CHAINS])
            yield [Chain(native, chunk) for _, native, chunk in references(structures)]


def distance_difference(one: Chain, other: Chain) -> float:
    """Root mean square difference (Å) of the Cα distances that two chains share; -1 where they share few."""
    rows = match_chains(one.native.trace, other.native.trace)
    known = rows >= 0
    if known.sum() < MIN_RESIDUES:
        return -1.0
    points = one.native.atoms[0, known, CA_SLOT], other.native.atoms[0, rows[known], CA_SLOT]
    first, second = (np.linalg.norm(each[:, None] - each[None], axis=-1) for each in points)
    return float(np.sqrt(((first - second) ** 2).mean()))


def template_of(chain: Chain, other: Chain, tolerance: float) -> Template:
    """The other chain as a template of the first."""
    rows = match_chains(chain.native.trace, other.native.trace)
    known, source = rows >= 0, other.native
    linked = np.zeros(len(rows), dtype=bool)
    linked[:-1] = known[:-1] & (rows[1:] == rows[:-1] + 1) & source.linked()[0, rows[:-1]]
    atoms = np.where(known[:, None, None], source.atoms[0, rows], np.float32(0))
    present = source.present[rows] & known[:, None]
    return Template.from_atoms(chain.native.trace, atoms, present, linked, tolerance)


class Figures(NamedTuple):
    """Median deviation of a pair (Å), errors (Å) without and with the template, and what was kept."""

    deviation: float
    errors: list[float]
    kept: Persistence


def measure_pair(backmapper: LoadedModel, chain: Chain, other: Chain, tolerances: list[float]) -> Figures:
    """Figures of a chain with another as template."""
    native, chunk = chain
    inner, options = inner_residues(native.linked())[0], BackmapOptions(mode="best")
    templates = [template_of(chain, other, each) for each in tolerances]
    built = [rebuild(backmapper, native, chunk, options, each) for each in ((), *((t,) for t in templates))]
    deviation = templates[0].deviation(chunk.positions, native.linked())[0]
    model = backmapper.rotamer_consensus(native.trace, chunk, options).probabilities
    return Figures(
        float(np.median(deviation[np.isfinite(deviation)])),
        [side_chain_error(native, each, inner) for each in built],
        first_chi_persistence(templates[0], native, model),
    )


def parse_options() -> argparse.Namespace:
    parser = measurement_parser(__doc__, default="heldout", sets=("heldout", "train"))
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument(
        "--tolerances",
        type=lambda text: [float(part) for part in text.split(",")],
        default=[0.2, 0.4, 0.8, 3.0],
        metavar="Å,Å",
    )
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    figures: list[Figures] = []
    for chains in proteins(options.data, options.set):
        one, other = max(combinations(chains, 2), key=lambda pair: distance_difference(*pair))
        if len(figures) >= options.pairs or distance_difference(one, other) < 0:
            continue
        figures += [
            measure_pair(backmapper, *pair, options.tolerances) for pair in ((one, other), (other, one))
        ]
    columns = ("pairs", "without", *(f"{each:g} Å" for each in options.tolerances), "kept", "model")
    print(f"{'deviation':14s}" + "".join(f"{column:>10s}" for column in columns))
    for low, high in zip((0.0, *BOUNDARIES), (*BOUNDARIES, np.inf), strict=True):
        part = [each for each in figures if low <= each.deviation < high]
        if part:
            values = np.mean([[*each.errors, *each.kept.percentages()] for each in part], axis=0)
            print(f"{f'{low:g} to {high:g} Å':14s}{len(part):10d}" + "".join(f"{x:10.2f}" for x in values))


if __name__ == "__main__":
    main()
