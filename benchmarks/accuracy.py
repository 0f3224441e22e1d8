"""How near the answers are to crystal structures, from their Cα alone.

    python benchmarks/accuracy.py DATA [--weights DIR] [--split valid] [--mode best] [--out FILE.json]

DATA is a folder of packed structures; the table goes to standard output, all numbers to the JSON file.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from chains import generated_structure, reference_chains
from tables import Row

from latcpb_cli.backmapper import Backmapper


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--split", default="valid")
    parser.add_argument("--mode", choices=["best", "ensemble"], default="best")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    backmapper = Backmapper.from_pretrained(options.weights, device=options.device)
    row, seconds, residues = Row(), 0.0, 0
    for _, reference, chunk in reference_chains(options.data, options.split):
        began = time.perf_counter()
        atoms = backmapper.sample(reference.trace, chunk, samples=1, seed=0, mode=options.mode)[:, 0]
        seconds += time.perf_counter() - began
        residues += len(reference.trace)
        row.add(reference, generated_structure(reference, atoms))
    facts = {
        "weights": backmapper.weights_name,
        "sha256": backmapper.weights_sha256,
        "mode": options.mode,
        "split": options.split,
        "chains": len(row.results),
        "residues": residues,
        "residues_per_second": round(residues / seconds, 1),
        "threads": torch.get_num_threads(),
    }
    table = {"model": row.numbers(), "native": row.numbers("reference")}
    print(" · ".join(f"{key} {value}" for key, value in facts.items()))
    print(f"{'metric':24s}{'model':>12s}{'native':>12s}")
    own = (
        "contact12",
        "overlap04",
        "bonds",
        "peptide",
        "angles",
        "omega",
        "d_res",
        "inv",
        "pierced",
        "cis_non",
        "rama",
    )
    for name, value in table["model"].items():
        native = f"{table['native'][name]:12.4f}" if name.startswith(own) else ""
        print(f"{name:24s}{value:12.4f}{native}")
    if options.out is not None:
        options.out.write_text(json.dumps({**facts, **table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
