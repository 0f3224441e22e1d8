"""Which groups of backbones are relatives of the chains that are held out of training.

    python benchmarks/held_out_relatives.py DATA > left_out.txt

A group is a relative if it has a chain of a PDB entry of theirs, or one that a Smith-Waterman alignment finds
with an E value of at most 0.01 (BLOSUM62, gaps 11 + 1 per residue, the statistics of BLAST for these). Prints
the numbers of the groups, for ``DATA/backbones/left_out.txt``. Needs parasail.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from pathlib import Path

import parasail

from latcpb_cli.train.splits import HELD_OUT, chain_rows

_LAMBDA, _K = 0.267, 0.041
_MAX_E_VALUE = 0.01


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open() as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def relatives(queries: list[dict[str, str]], targets: list[dict[str, str]]) -> set[str]:
    """Groups of the targets that are related to a query."""
    entries = {query["id"].split("_")[0].lower() for query in queries}
    groups = {target["group30"] for target in targets if target["id"].split("_")[0].lower() in entries}
    residues = sum(len(target["sequence"]) for target in targets)
    for number, query in enumerate(queries):
        sequence = query["sequence"]
        profile = parasail.profile_create_16(sequence, parasail.blosum62)
        least = math.log(_K * len(sequence) * residues / _MAX_E_VALUE) / _LAMBDA
        for target in targets:
            if target["group30"] in groups:
                continue
            if parasail.sw_striped_profile_16(profile, target["sequence"], 11, 1).score >= least:
                groups.add(target["group30"])
        print(f"{number + 1} of {len(queries)} chains", file=sys.stderr, flush=True)
    return groups


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    groups = relatives(chain_rows(data, HELD_OUT), read_table(data / "backbones" / "backbones.tsv"))
    print("\n".join(sorted(groups, key=int)))


if __name__ == "__main__":
    main()
