"""Which coherence samples should have: proteins that crystallised twice, and our samples on both traces.

    python benchmarks/choose_coherence.py DATA [--weights DIR] [--pairs 8] [--seeds 2]

Pairs of held-out chains of one cluster that share a stretch of at least SHARED residues, at most so many of
each cluster; only the stretch is built. Printed are means over clusters of how far a side chain is from
itself in the other crystal, as in diversity.py. It runs on the held-out part of train, never on validation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import combinations, islice

import numpy as np
from arguments import measurement_parser
from chains import trace_of
from diversity import buried, spread

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.metrics.accuracy import inner_residues
from latcpb_cli.structure import FrameChunk
from latcpb_cli.train.data import Structure, load_structures

SHARED = 40
COHERENCES = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)  # Å


def twins(structures: list[Structure]) -> Iterator[tuple[Structure, Structure]]:
    """Pairs cut to the longest stretch of sequence that they share."""
    for one, other in combinations(structures, 2):
        letters = ["".join(chr(65 + kind) for kind in each.types) for each in (one, other)]
        match = SequenceMatcher(None, *letters, autojunk=False).find_longest_match()
        pair = one.window(match.a, match.size), other.window(match.b, match.size)
        if match.size >= SHARED and np.array_equal(pair[0].linked, pair[1].linked):
            yield pair


def main() -> None:
    parser = measurement_parser(__doc__, split="heldout")
    parser.add_argument("--pairs", type=int, default=8, help="at most so many of a cluster")
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for group in load_structures(options.data, options.split, ensembles=0.0).groups:
        own: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)
        for pair in islice(twins([load() for load in group]), options.pairs):
            native = np.stack([each.atoms for each in pair])
            present, linked = pair[0].present & pair[1].present, pair[0].linked[None]
            same = (pair[0].present == pair[1].present).all(-1) & inner_residues(linked)[0]
            deep = buried(native[:, :, 1])
            chunk = FrameChunk(
                native[:, :, 1].copy(), np.zeros(2), np.zeros((2, 6), np.float32), np.arange(2)
            )
            drawn = {"natives": [native]}
            for coherence in COHERENCES:
                drawn[f"{coherence:g} Å"] = [
                    model.sample(
                        trace_of(pair[0]), chunk, samples=1, seed=seed, mode="ensemble", coherence=coherence
                    )[:, 0]
                    for seed in range(options.seeds)
                ]
            for name, answers in drawn.items():
                for atoms in answers:
                    wide = spread(pair[0].types, atoms, present)
                    for part, rows in (("buried", deep), ("exposed", ~deep)):
                        own[name, part].append(wide[same & rows])
        for key, parts in own.items():
            found[key].append(float(np.nanmean(np.concatenate(parts))))
    for (name, part), means in found.items():
        print(f"{name:10s}{part:10s}{np.nanmean(means):8.3f} Å, {len(means)} clusters")


if __name__ == "__main__":
    main()
