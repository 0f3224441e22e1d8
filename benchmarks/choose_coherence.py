"""Choose the coherence of samples: pairs of crystals of one protein, and samples on the traces of both.

    python benchmarks/choose_coherence.py DATA [--weights DIR] [--pairs 8] [--seeds 2]

Pairs of held-out chains of one cluster that share a stretch of at least MIN_SHARED residues, up to a number
of each cluster; only the stretch is built. Printed are means over clusters of the deviation of a side chain
between the two crystals, as in diversity.py. It runs on the held-out part of train, never on validation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import combinations, islice

import numpy as np
from arguments import measurement_parser
from chains import trace_from_structure
from diversity import is_buried, pairwise_deviation

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.accuracy import inner_residues
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import FrameChunk
from latcpb_cli.train.data import load_structures
from latcpb_cli.train.structures import Structure

MIN_SHARED = 40
COHERENCES = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)  # Å

Pair = tuple[Structure, Structure]
Deviations = dict[tuple[str, str], list[np.ndarray]]
"""Deviations (Å) of residues by name of the column and part of the protein."""


def shared_stretches(structures: list[Structure]) -> Iterator[Pair]:
    """Yield pairs, cut to the longest stretch of sequence that they share."""
    for one, other in combinations(structures, 2):
        first, second = one.types.tolist(), other.types.tolist()
        match = SequenceMatcher(None, first, second, autojunk=False).find_longest_match()
        pair = one.window(match.a, match.size), other.window(match.b, match.size)
        if match.size >= MIN_SHARED and np.array_equal(pair[0].linked, pair[1].linked):
            yield pair


def sample_pair(backmapper: LoadedModel, pair: Pair, coherence: float, seeds: int) -> list[np.ndarray]:
    """Atoms (2, L, 15, 3) on both traces, for each seed."""
    ca = np.stack([structure.atoms[:, CA_SLOT] for structure in pair])
    chunk = FrameChunk(ca, np.zeros(2), np.zeros((2, 6), np.float32), np.arange(2))
    trace = trace_from_structure(pair[0])
    options = [BackmapOptions(seed=seed, mode="ensemble", coherence=coherence) for seed in range(seeds)]
    return [backmapper.sample(trace, chunk, each)[:, 0] for each in options]


def add_pair(backmapper: LoadedModel, pair: Pair, seeds: int, deviations: Deviations) -> None:
    """Add the deviations between the two natives, and between samples on their traces."""
    natives = np.stack([structure.atoms for structure in pair])
    first, second = pair
    present = first.present & second.present
    comparable = (first.present == second.present).all(-1) & inner_residues(first.linked[None])[0]
    buried = is_buried(natives[:, :, CA_SLOT])
    columns = {"natives": [natives]}
    for coherence in COHERENCES:
        columns[f"{coherence:g} Å"] = sample_pair(backmapper, pair, coherence, seeds)
    for name, structures in columns.items():
        for atoms in structures:
            deviation = pairwise_deviation(first.types, atoms, present)
            deviations[name, "buried"].append(deviation[comparable & buried])
            deviations[name, "exposed"].append(deviation[comparable & ~buried])


def main() -> None:
    parser = measurement_parser(__doc__, default="heldout")
    parser.add_argument("--pairs", type=int, default=8, help="at most so many of a cluster")
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    means: dict[tuple[str, str], list[float]] = defaultdict(list)
    for cluster in load_structures(options.data, options.set, ensemble_probability=0.0).groups:
        deviations: Deviations = defaultdict(list)
        for pair in islice(shared_stretches([load() for load in cluster]), options.pairs):
            add_pair(backmapper, pair, options.seeds, deviations)
        for key, parts in deviations.items():
            means[key].append(float(np.nanmean(np.concatenate(parts))))
    for (name, part), values in means.items():
        print(f"{name:10s}{part:10s}{np.nanmean(values):8.3f} Å, {len(values)} clusters")


if __name__ == "__main__":
    main()
